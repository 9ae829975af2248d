output "topic_arn" {
  description = "Where alarms go; Alertmanager may publish there, too."
  value       = aws_sns_topic.alarms.arn
}

output "log_bucket" {
  description = "Bucket for access logs."
  value       = module.logs.name
}
