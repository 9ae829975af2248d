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

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, such as 1.33."
  type        = string
}

variable "nodes" {
  description = "The group of nodes."
  type = object({
    instance_type = string
    disk_gb       = number
    min           = number
    max           = number
    desired       = number
  })

  validation {
    condition     = var.nodes.min <= var.nodes.desired && var.nodes.desired <= var.nodes.max
    error_message = "The sizes of nodes are min <= desired <= max."
  }
}

variable "subnet_ids" {
  description = "Private subnets, zone => id."
  type        = map(string)
}

variable "security_group_id" {
  description = "The group that applications have."
  type        = string
}

variable "admin_role_arn" {
  description = "The role that administers the cluster."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of Secrets, disks and logs."
  type        = string
}

variable "log_days" {
  description = "Days for which logs are kept."
  type        = number
}
