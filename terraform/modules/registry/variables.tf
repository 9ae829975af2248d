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

variable "repositories" {
  description = "Names of images, without the platform's."
  type        = set(string)

  validation {
    condition     = alltrue([for name in var.repositories : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", name))])
    error_message = "Names of images are small letters and digits, with . _ / - between them."
  }
}

variable "keep" {
  description = "Images that a repository keeps: rollbacks need those that are gone no more."
  type        = number

  validation {
    condition     = var.keep >= 5
    error_message = "keep is at least 5: hosts go back to earlier generations, and pull them again."
  }
}

variable "kms_key_arn" {
  description = "The key of images."
  type        = string
}

variable "protected" {
  description = "Whether repositories with images in them cannot be destroyed."
  type        = bool
}
