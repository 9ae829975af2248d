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

variable "vpc_id" {
  description = "The VPC whose flows are logged."
  type        = string
}

variable "flow_traffic" {
  description = "Which flows: ALL, or REJECT, which costs a fraction."
  type        = string

  validation {
    condition     = contains(["ALL", "REJECT"], var.flow_traffic)
    error_message = "flow_traffic is ALL or REJECT."
  }
}

variable "watched" {
  description = "What alarms look at, by the names that CloudWatch has for it; the first database is the primary."
  type = object({
    load_balancer = string
    target_groups = map(string)
    databases     = list(string)
    caches        = list(string)
  })
}

variable "alarm_emails" {
  description = "Who gets alarms by mail; each has to confirm once."
  type        = set(string)
}

variable "log_days" {
  description = "Days for which logs are kept; the trail is kept for a year at least."
  type        = number
}

variable "kms_key_arn" {
  description = "The key of logs and messages."
  type        = string
}

variable "protected" {
  description = "Whether buckets with logs in them cannot be destroyed."
  type        = bool
}
