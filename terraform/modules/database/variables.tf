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

variable "engine_version" {
  description = "PostgreSQL: the major version, to which RDS adds the newest minor one, or both."
  type        = string
  default     = "15"

  validation {
    condition     = can(regex("^1[5-9]([.][0-9]+)?$", var.engine_version))
    error_message = "engine_version is PostgreSQL 15 or newer, such as 15 or 15.12."
  }
}

variable "instance_class" {
  description = "Size of the database and its replicas."
  type        = string
  default     = "db.t3.medium"
}

variable "database" {
  description = "The first database; the role postgresql's equivalents make the others."
  type        = string
}

variable "storage_gb" {
  description = "Storage at the start."
  type        = number
  default     = 20
}

variable "max_storage_gb" {
  description = "How far storage grows by itself."
  type        = number
  default     = 100

  validation {
    condition     = var.max_storage_gb > var.storage_gb
    error_message = "max_storage_gb is more than storage_gb: a full disk stops the database."
  }
}

variable "multi_az" {
  description = "Whether a standby in a second zone takes over."
  type        = bool
}

variable "backup_days" {
  description = "Days to any second of which the database can go back."
  type        = number

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "backup_days is 1 to 35; 0 would turn backups and replicas off."
  }
}

variable "replicas" {
  description = "Read replicas."
  type        = number

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 5
    error_message = "replicas is 0 to 5."
  }
}

variable "subnet_ids" {
  description = "Private subnets, zone => id."
  type        = map(string)
}

variable "security_group_id" {
  description = "The group data."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of storage, password, logs and insights."
  type        = string
}

variable "log_days" {
  description = "Days for which logs are kept."
  type        = number
}

variable "protected" {
  description = "Whether the database is protected from deletion, and leaves a last snapshot."
  type        = bool
}
