output "endpoint" {
  description = "The registry, as inventories want it."
  value = {
    kind = "ecr"
    host = "${var.context.account_id}.dkr.ecr.${var.context.region}.amazonaws.com"
    port = 443
    arn  = "arn:${var.context.partition}:ecr:${var.context.region}:${var.context.account_id}:repository/${var.context.name}"
    id   = var.context.name
  }
}

output "repositories" {
  description = "image => where it is pushed and pulled."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}
