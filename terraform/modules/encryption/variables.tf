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

variable "deletion_days" {
  description = "Days for which a deleted key can be taken back. What it encrypted is lost with it."
  type        = number

  validation {
    condition     = var.deletion_days >= 7 && var.deletion_days <= 30
    error_message = "deletion_days is 7 to 30: AWS knows no others."
  }
}

variable "autoscaling" {
  description = "Whether an auto-scaling group starts hosts with encrypted disks: its service role must exist then."
  type        = bool
}
