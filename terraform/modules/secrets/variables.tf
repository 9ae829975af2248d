variable "context" {
  description = "Which platform this is: the prefix of all names, its environment, and where it lives."
  type = object({
    name        = string
    environment = string
    account_id  = string
    region      = string
    partition   = string
  })
}

variable "entries" {
  description = "purpose => what it is for."
  type        = map(string)

  validation {
    condition     = alltrue([for name in keys(var.entries) : can(regex("^[a-z][a-z0-9_]*$", name))])
    error_message = "Purposes are small letters, digits and underscores: they are names in platform.secrets."
  }
}

variable "rotation_days" {
  description = "Days after which a value is replaced."
  type        = number
  default     = 90

  validation {
    condition     = var.rotation_days >= 1 && var.rotation_days <= 90
    error_message = "rotation_days is 1 to 90."
  }
}

variable "rotation_function" {
  description = "ARN of the Lambda function that rotates; null where playbooks/rotate_secrets.yml does."
  type        = string
  default     = null
}

variable "recovery_days" {
  description = "Days for which a deleted secret can be taken back; 0 deletes at once, and frees the name."
  type        = number

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "recovery_days is 0, or 7 to 30: AWS knows no others."
  }
}

variable "kms_key_arn" {
  description = "The key of values."
  type        = string
}
