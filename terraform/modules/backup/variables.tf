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

variable "keep_days" {
  description = "Days for which copies are kept."
  type        = number

  validation {
    condition     = var.keep_days >= 7 && var.keep_days <= 365
    error_message = "keep_days is 7 to 365: a locked vault takes no others."
  }
}

variable "copy_vault_arn" {
  description = "Vault in another region that gets a copy of each; null for none."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "The key of copies."
  type        = string
}

variable "protected" {
  description = "Whether copies cannot be deleted before their time."
  type        = bool
}
