variable "platform" {
  description = "The platform's name, as platform.name in platform.yml."
  type        = string

  validation {
    # AWS limits names of load balancers and target groups to 32 characters, the longest of which is NAME-ENVIRONMENT-ROUTE.
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.platform))
    error_message = "platform is 2 to 12 small letters and digits: it begins the names of all resources."
  }
}

variable "environment" {
  description = "dev, staging or prod."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
}

variable "region" {
  description = "Where all but what is global lives."
  type        = string
}

variable "account_id" {
  description = "The account that must answer; null for any. A plan with another account's credentials is refused."
  type        = string
  default     = null
}

variable "tags" {
  description = "More tags for everything."
  type        = map(string)
  default     = {}
}

variable "protected" {
  description = "Whether what holds data or serves users is protected from deletion, and deleted with a last copy only."
  type        = bool
}

variable "without" {
  description = "Parts that are left out: cache, backup. For accounts where others run them, and for stand-ins of AWS that lack them."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.without, ["cache", "backup"])) == 0
    error_message = "without names cache, backup, or none: all other parts need each other."
  }
}

variable "detailed_monitoring" {
  description = "Whether AWS measures hosts each minute, at a price, instead of every five."
  type        = bool
}

variable "network" {
  description = "The VPC; zones are letters, such as [\"a\", \"b\"]."
  type = object({
    cidr  = optional(string, "10.0.0.0/16")
    zones = optional(list(string), ["a", "b"])
    nat   = string
  })
}

variable "ami" {
  description = "The image of hosts; Debian's own account and names by default."
  type = object({
    owner       = optional(string, "136693071363")
    name        = optional(string, "debian-13-amd64-*")
    root_device = optional(string, "/dev/xvda")
    agent       = optional(bool, true)
  })
  default = {}
}

variable "hosts" {
  description = "Named hosts: modules/compute."
  type = map(object({
    role          = string
    instance_type = string
    disk_gb       = number
  }))
}

variable "groups" {
  description = "Auto-scaling groups: modules/compute."
  type = map(object({
    role          = string
    instance_type = string
    disk_gb       = number
    min           = number
    max           = number
    desired       = number
    cpu_percent   = optional(number, 60)
  }))
}

variable "kubernetes" {
  description = "An EKS cluster: modules/eks; null for none."
  type = object({
    version = string
    nodes = object({
      instance_type = string
      disk_gb       = number
      min           = number
      max           = number
      desired       = number
    })
  })
  default = null
}

variable "edge" {
  description = "Load balancer, firewall and names: modules/edge and modules/dns."
  type = object({
    zone        = string
    create_zone = bool
    domain      = string
    routing     = optional(string, "simple")
    firewall    = optional(bool, true)
    rate_limit  = optional(number, 2000)
    routes = list(object({
      name        = string
      port        = number
      paths       = optional(list(string), [])
      health_path = optional(string, "/health")
      sticky      = optional(bool, false)
    }))
  })
}

variable "transfer_bucket" {
  description = "Bucket through which Ansible hands files to hosts, as ansible_aws_ssm_bucket_name in the inventory."
  type        = string
}

variable "static" {
  description = "Static files behind CloudFront: modules/static; null for none."
  type = object({
    domain      = string
    price_class = optional(string, "PriceClass_100")
  })
  default = null
}

variable "registry" {
  description = "Repositories for images: modules/registry."
  type = object({
    repositories = set(string)
    keep         = number
  })
}

variable "database" {
  description = "PostgreSQL: modules/database."
  type = object({
    engine_version = optional(string, "15")
    instance_class = string
    storage_gb     = optional(number, 20)
    max_storage_gb = optional(number, 100)
    multi_az       = bool
    backup_days    = number
    replicas       = number
  })
}

variable "cache" {
  description = "Redis: modules/cache."
  type = object({
    engine_version = optional(string, "7.1")
    node_type      = string
    nodes          = number
    backup_days    = number
  })
}

variable "secrets" {
  description = "Entries of Secrets Manager, without values: modules/secrets."
  type = object({
    entries           = map(string)
    rotation_days     = optional(number, 90)
    rotation_function = optional(string)
  })
}

variable "backup" {
  description = "Daily copies: modules/backup."
  type = object({
    keep_days      = number
    copy_vault_arn = optional(string)
  })
}

variable "logs" {
  description = "Days for which logs are kept, as CloudWatch knows them, and which flows of the network are logged (ALL or REJECT)."
  type = object({
    days  = number
    flows = string
  })

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.logs.days)
    error_message = "logs.days is one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 or 1827."
  }
}

variable "alarm_emails" {
  description = "Who gets alarms by mail."
  type        = set(string)
  default     = []
}

variable "admin_principals" {
  description = "ARNs that may become administrators, with MFA."
  type        = list(string)
  default     = []
}

variable "pipeline" {
  description = "The repository whose jobs may push images and roll out: modules/iam; null for none."
  type = object({
    repository      = string
    state_bucket    = string
    create_provider = optional(bool, true)
  })
  default = null
}
