output "endpoints" {
  description = "The database and its replicas, as inventories want them."
  value = merge(
    {
      database = {
        kind = "postgresql"
        host = aws_db_instance.this.address
        port = aws_db_instance.this.port
        arn  = aws_db_instance.this.arn
        id   = aws_db_instance.this.identifier
      }
    },
    {
      for name, replica in aws_db_instance.replica : "database_${name}" => {
        kind = "postgresql"
        host = replica.address
        port = replica.port
        arn  = replica.arn
        id   = replica.identifier
      }
    },
  )
}

output "secret_arn" {
  description = "Secret with the administrator's name and password."
  value       = try(aws_db_instance.this.master_user_secret[0].secret_arn, null)
}

output "identifiers" {
  description = "Names of the instances, as CloudWatch has them."
  value       = concat([aws_db_instance.this.identifier], [for replica in aws_db_instance.replica : replica.identifier])
}
