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

variable "key_alias" {
  description = "Alias of the environment's key."
  type        = string
}

variable "transfer_bucket" {
  description = "Bucket through which the pipeline hands files to hosts; hosts get them by signed addresses."
  type        = string
}

variable "admin_principals" {
  description = "ARNs that may become administrators, with MFA; none for whom the account's own policies let."
  type        = list(string)
  default     = []
}

variable "pipeline" {
  description = "The repository whose jobs may push images and roll out; null for none."
  type = object({
    repository      = string
    state_bucket    = string
    create_provider = optional(bool, true)
  })
  default = null

  validation {
    condition     = var.pipeline == null || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.pipeline.repository))
    error_message = "pipeline.repository is OWNER/NAME; a * would let other repositories in."
  }
}
