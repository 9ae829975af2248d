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

variable "cidr" {
  description = "The VPC's network, a /16 or larger. Public subnets are /24s of its first /20, private ones the /20s after it."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) <= 16, false)
    error_message = "cidr is an IPv4 network of /16 or larger, such as 10.0.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones, in the order in which they get their networks. Add at the end only: others would move."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 6 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones are 2 to 6 different zones: the load balancer and a Multi-AZ database need two."
  }
}

variable "nat" {
  description = "NAT gateways: single, or per_zone, with which the loss of a zone takes no other zone's way out."
  type        = string

  validation {
    condition     = contains(["single", "per_zone"], var.nat)
    error_message = "nat is single or per_zone."
  }
}

variable "app_ports" {
  description = "Ports of applications that the load balancer asks and Prometheus scrapes."
  type        = set(number)
}
