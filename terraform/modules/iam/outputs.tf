output "instance_profile" {
  description = "Name of the hosts' instance profile."
  value       = aws_iam_instance_profile.node.name
}

output "role_arns" {
  description = "node, admin and, where there is one, pipeline => ARN."
  value = merge(
    { node = aws_iam_role.node.arn, admin = aws_iam_role.admin.arn },
    { for name, role in aws_iam_role.pipeline : name => role.arn },
  )
}
