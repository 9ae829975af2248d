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
  description = "Redis 7."
  type        = string
  default     = "7.1"

  validation {
    condition     = can(regex("^7[.][0-9]+$", var.engine_version))
    error_message = "engine_version is that of a Redis 7, such as 7.1."
  }
}

variable "node_type" {
  description = "Size of each node."
  type        = string
  default     = "cache.t3.micro"
}

variable "nodes" {
  description = "The primary and its replicas; from two on a replica takes over by itself."
  type        = number

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 6
    error_message = "nodes is 1 to 6."
  }
}

variable "eviction" {
  description = "What Redis does where memory is full. Sessions are in there, so only what expires anyway may go."
  type        = string
  default     = "volatile-lru"
}

variable "backup_days" {
  description = "Days for which daily snapshots are kept; 0 for none."
  type        = number
}

variable "subnet_ids" {
  description = "Private subnets, zone => id."
  type        = map(string)
}

variable "security_group_id" {
  description = "The group cache."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of data and logs."
  type        = string
}

variable "log_days" {
  description = "Days for which logs are kept."
  type        = number
}

variable "protected" {
  description = "Whether a last snapshot stays."
  type        = bool
}
