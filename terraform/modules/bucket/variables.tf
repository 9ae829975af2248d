variable "name" {
  description = "The bucket's name; buckets of all accounts share one namespace."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.name))
    error_message = "name is 3 to 63 small letters, digits, dots and dashes."
  }
}

variable "partition" {
  description = "The partition, for the bucket's ARN in its policy."
  type        = string
}

variable "kms_key_arn" {
  description = "The key; null for keys of S3's own, where the service that writes can use no other."
  type        = string
}

variable "force_destroy" {
  description = "Whether the bucket can be destroyed with what is in it."
  type        = bool
}

variable "expire_days" {
  description = "Days after which objects go; 0 for never. Earlier versions go after 30 days in any case."
  type        = number
  default     = 0
}

variable "log_bucket" {
  description = "Bucket for access logs; null for none. An object, for its name is known only once it is made."
  type        = object({ name = string })
  default     = null
}

variable "policy_documents" {
  description = "Who else may do what, as JSON; that all must use TLS is in there already."
  type        = list(string)
  default     = []
}
