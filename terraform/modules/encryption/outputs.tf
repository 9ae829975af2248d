output "key_arn" {
  description = "The key."
  value       = aws_kms_key.this.arn
}

output "alias" {
  description = "The key's alias: policies name the key by it."
  value       = "alias/${var.context.name}"
}
