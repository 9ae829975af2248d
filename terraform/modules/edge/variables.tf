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
  description = "The name under which users come."
  type        = string
}

variable "zone_id" {
  description = "Hosted zone that answers for the domain: the certificate is proved there."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets, zone => id."
  type        = map(string)
}

variable "security_group_id" {
  description = "The group edge."
  type        = string
}

variable "routes" {
  description = "Paths to ports of applications, in the order in which they are tried; the last one, without paths, gets the rest."
  type = list(object({
    name        = string
    port        = number
    paths       = optional(list(string), [])
    health_path = optional(string, "/health")
    sticky      = optional(bool, false)
  }))

  validation {
    condition     = length(var.routes) > 0 && alltrue([for index, route in var.routes : (length(route.paths) == 0) == (index == length(var.routes) - 1)])
    error_message = "Each route has paths but the last, which gets what the others leave."
  }

  validation {
    condition     = alltrue([for route in var.routes : length(route.paths) <= 5])
    error_message = "A rule of the load balancer takes five paths at most: make two routes of it."
  }
}

variable "firewall" {
  description = "Whether a web firewall stands before the load balancer."
  type        = bool
}

variable "rate_limit" {
  description = "Requests in five minutes that an address may send."
  type        = number
}

variable "log_bucket" {
  description = "Bucket for access logs."
  type        = string
}

variable "log_days" {
  description = "Days for which the firewall's logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "The key of logs."
  type        = string
}

variable "protected" {
  description = "Whether the load balancer is protected from deletion."
  type        = bool
}
