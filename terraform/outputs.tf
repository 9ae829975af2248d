# What inventories, secrets and pipelines read. Names and shapes are a contract: docs/aws.md. Nothing here is secret.

output "hosts" {
  description = "name => role, instance_id, private_ip, availability_zone."
  value       = module.compute.hosts
}

output "endpoints" {
  description = "name => kind (postgresql, redis, alb, ecr, eks, s3), host, port, arn, id."
  value = merge(
    module.database.endpoints,
    { edge = module.edge.endpoint, registry = module.registry.endpoint },
    length(module.cache) > 0 ? module.cache[0].endpoints : {},
    length(module.eks) > 0 ? { cluster = module.eks[0].endpoint } : {},
    length(module.static) > 0 ? { static = module.static[0].endpoint } : {},
  )
}

output "secrets" {
  description = "purpose => ARN of the secret."
  value       = merge(module.secrets.arns, { database_administrator = module.database.secret_arn })
}

output "settings" {
  description = "What else is asked for by name."
  value = {
    environment     = var.environment
    region          = var.region
    domain          = var.edge.domain
    name_servers    = module.dns.name_servers
    nat_addresses   = module.network.nat_addresses
    groups          = module.compute.group_names
    transfer_bucket = module.transfer.name
    repositories    = module.registry.repositories
    roles           = module.iam.role_arns
    alarms          = module.observability.topic_arn
    backup_vault    = one(module.backup[*].vault_arn)
    cache_user      = one(module.cache[*].user)
    distribution_id = length(module.static) > 0 ? module.static[0].distribution_id : null
  }
}
