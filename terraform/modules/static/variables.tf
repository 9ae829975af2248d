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

variable "domain" {
  description = "The name of static files, such as static.chat.example.com."
  type        = string
}

variable "zone_id" {
  description = "Hosted zone that answers for the domain."
  type        = string
}

variable "price_class" {
  description = "Where CloudFront answers from: PriceClass_100 (Europe and North America), _200 or _All."
  type        = string
  default     = "PriceClass_100"
}

variable "log_bucket" {
  description = "Bucket for access logs."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of the bucket."
  type        = string
}

variable "protected" {
  description = "Whether the bucket with files in it cannot be destroyed."
  type        = bool
}
