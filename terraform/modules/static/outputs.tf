output "endpoint" {
  description = "Where static files are put, as inventories want it; users come by the domain."
  value = {
    kind = "s3"
    host = var.domain
    port = 443
    arn  = module.bucket.arn
    id   = module.bucket.name
  }
}

output "distribution_id" {
  description = "The distribution: what was put anew is invalidated there."
  value       = aws_cloudfront_distribution.this.id
}
