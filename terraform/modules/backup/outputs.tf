output "vault_arn" {
  description = "The vault: another region's plan copies into it."
  value       = aws_backup_vault.this.arn
}
