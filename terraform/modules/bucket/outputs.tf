output "name" {
  description = "The bucket's name, once its policy stands."
  value       = aws_s3_bucket_policy.this.bucket
}

output "arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.this.arn
}

output "regional_domain_name" {
  description = "Where the bucket answers."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}
