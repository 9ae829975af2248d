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

variable "zone" {
  description = "Hosted zone, such as example.com."
  type        = string
}

variable "create_zone" {
  description = "Whether the zone is made here; else it is there already."
  type        = bool
}

variable "domain" {
  description = "The name under which users come."
  type        = string

  validation {
    condition     = var.domain == var.zone || endswith(var.domain, ".${var.zone}")
    error_message = "domain is in the zone."
  }
}

variable "target" {
  description = "The load balancer's own name, and its zone."
  type = object({
    dns_name = string
    zone_id  = string
  })
}

variable "routing" {
  description = "simple: this region answers. latency: the nearest of the regions whose environments have this domain."
  type        = string
  default     = "simple"

  validation {
    condition     = contains(["simple", "latency"], var.routing)
    error_message = "routing is simple or latency."
  }
}
