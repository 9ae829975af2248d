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

variable "hosts" {
  description = "Hosts by name. The number at the end of a name decides on the zone."
  type = map(object({
    role          = string
    instance_type = string
    disk_gb       = number
  }))

  validation {
    condition     = alltrue([for host in var.hosts : contains(["app", "data", "monitoring"], host.role)])
    error_message = "A host's role is app, data or monitoring: these have security groups."
  }

  validation {
    condition     = alltrue([for name in keys(var.hosts) : can(regex("^[a-z][a-z0-9-]{0,30}$", name))])
    error_message = "Hosts' names are small letters, digits and dashes: they are names in the inventory and in DNS."
  }
}

variable "groups" {
  description = "Auto-scaling groups by name."
  type = map(object({
    role          = string
    instance_type = string
    disk_gb       = number
    min           = number
    max           = number
    desired       = number
    cpu_percent   = optional(number, 60)
  }))

  validation {
    condition     = alltrue([for group in var.groups : group.min <= group.desired && group.desired <= group.max])
    error_message = "A group's sizes are min <= desired <= max."
  }

  validation {
    condition     = alltrue([for group in var.groups : contains(["app", "data", "monitoring"], group.role)])
    error_message = "A group's role is app, data or monitoring: these have security groups."
  }
}

variable "ami" {
  description = "The image of hosts: the newest of an owner whose name fits. New hosts get it, those that run stay. agent = false where the image has that of Systems Manager."
  type = object({
    owner       = string
    name        = string
    root_device = optional(string, "/dev/xvda")
    agent       = optional(bool, true)
  })
}

variable "subnet_ids" {
  description = "Private subnets, zone => id."
  type        = map(string)
}

variable "private_cidr" {
  description = "Private subnets, zone => network."
  type        = map(string)
}

variable "security_group_ids" {
  description = "Security groups, role => id."
  type        = map(string)
}

variable "target_group_arns" {
  description = "Target groups of the load balancer for hosts with the role app, route => ARN."
  type        = map(string)
}

variable "instance_profile" {
  description = "Name of the instance profile."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of disks."
  type        = string
}

variable "detailed_monitoring" {
  description = "Whether AWS measures each minute, at a price, instead of every five: groups scale sooner."
  type        = bool
}

variable "protected" {
  description = "Whether hosts are protected from termination."
  type        = bool
}

variable "tags" {
  description = "Tags for what groups start: the provider's default tags do not reach it."
  type        = map(string)
}
