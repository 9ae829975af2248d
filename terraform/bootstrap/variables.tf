variable "bucket" {
  description = "The bucket's name, as in environments/*/backend.hcl; the key's alias is called the same."
  type        = string
}

variable "region" {
  description = "Where states are kept."
  type        = string
}
