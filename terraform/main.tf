# One environment: what differs between dev, staging and prod are the values in environments/, and nothing else.

module "encryption" {
  source = "./modules/encryption"

  context       = local.context
  deletion_days = var.protected ? 30 : 7
  autoscaling   = length(var.groups) > 0
}

module "network" {
  source = "./modules/network"

  context   = local.context
  cidr      = var.network.cidr
  zones     = [for letter in var.network.zones : "${var.region}${letter}"]
  nat       = var.network.nat
  app_ports = toset([for route in var.edge.routes : route.port])
}

module "iam" {
  source = "./modules/iam"

  context          = local.context
  key_alias        = module.encryption.alias
  transfer_bucket  = var.transfer_bucket
  admin_principals = var.admin_principals
  pipeline         = var.pipeline
}

module "observability" {
  source = "./modules/observability"

  context      = local.context
  vpc_id       = module.network.vpc_id
  flow_traffic = var.logs.flows
  log_days     = var.logs.days
  alarm_emails = var.alarm_emails
  kms_key_arn  = module.encryption.key_arn
  protected    = var.protected

  watched = {
    load_balancer = module.edge.metric_names.load_balancer
    target_groups = module.edge.metric_names.target_groups
    databases     = module.database.identifiers
    caches        = flatten(module.cache[*].clusters)
  }
}

module "edge" {
  source = "./modules/edge"

  context           = local.context
  domain            = var.edge.domain
  zone_id           = module.dns.zone_id
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.public_subnet_ids
  security_group_id = module.network.security_group_ids["edge"]
  routes            = var.edge.routes
  firewall          = var.edge.firewall
  rate_limit        = var.edge.rate_limit
  log_bucket        = module.observability.log_bucket
  log_days          = var.logs.days
  kms_key_arn       = module.encryption.key_arn
  protected         = var.protected
}

module "dns" {
  source = "./modules/dns"

  context     = local.context
  zone        = var.edge.zone
  create_zone = var.edge.create_zone
  domain      = var.edge.domain
  routing     = var.edge.routing
  target      = { dns_name = module.edge.dns_name, zone_id = module.edge.zone_id }
}

module "static" {
  source = "./modules/static"
  count  = var.static == null ? 0 : 1

  providers = {
    aws        = aws
    aws.global = aws.global
  }

  context     = local.context
  domain      = var.static.domain
  price_class = var.static.price_class
  zone_id     = module.dns.zone_id
  log_bucket  = module.observability.log_bucket
  kms_key_arn = module.encryption.key_arn
  protected   = var.protected
}

module "compute" {
  source = "./modules/compute"

  context             = local.context
  hosts               = var.hosts
  groups              = var.groups
  ami                 = var.ami
  subnet_ids          = module.network.private_subnet_ids
  private_cidr        = module.network.private_cidr
  security_group_ids  = module.network.security_group_ids
  target_group_arns   = module.edge.target_group_arns
  instance_profile    = module.iam.instance_profile
  kms_key_arn         = module.encryption.key_arn
  protected           = var.protected
  detailed_monitoring = var.detailed_monitoring
  tags                = local.tags
}

module "eks" {
  source = "./modules/eks"
  count  = var.kubernetes == null ? 0 : 1

  context            = local.context
  kubernetes_version = var.kubernetes.version
  nodes              = var.kubernetes.nodes
  subnet_ids         = module.network.private_subnet_ids
  security_group_id  = module.network.security_group_ids["app"]
  admin_role_arn     = module.iam.role_arns["admin"]
  kms_key_arn        = module.encryption.key_arn
  log_days           = var.logs.days
}

# Through it Ansible hands files to hosts: Systems Manager carries commands only. A day is longer than any rollout.
module "transfer" {
  source = "./modules/bucket"

  name          = var.transfer_bucket
  partition     = local.context.partition
  kms_key_arn   = module.encryption.key_arn
  force_destroy = true
  expire_days   = 1
}

module "registry" {
  source = "./modules/registry"

  context      = local.context
  repositories = var.registry.repositories
  keep         = var.registry.keep
  kms_key_arn  = module.encryption.key_arn
  protected    = var.protected
}

module "database" {
  source = "./modules/database"

  context           = local.context
  engine_version    = var.database.engine_version
  instance_class    = var.database.instance_class
  database          = var.platform
  storage_gb        = var.database.storage_gb
  max_storage_gb    = var.database.max_storage_gb
  multi_az          = var.database.multi_az
  backup_days       = var.database.backup_days
  replicas          = var.database.replicas
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.security_group_ids["data"]
  kms_key_arn       = module.encryption.key_arn
  log_days          = var.logs.days
  protected         = var.protected
}

module "cache" {
  source = "./modules/cache"
  count  = contains(var.without, "cache") ? 0 : 1

  context           = local.context
  engine_version    = var.cache.engine_version
  node_type         = var.cache.node_type
  nodes             = var.cache.nodes
  backup_days       = var.cache.backup_days
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.security_group_ids["cache"]
  kms_key_arn       = module.encryption.key_arn
  log_days          = var.logs.days
  protected         = var.protected
}

module "secrets" {
  source = "./modules/secrets"

  context           = local.context
  entries           = var.secrets.entries
  rotation_days     = var.secrets.rotation_days
  rotation_function = var.secrets.rotation_function
  recovery_days     = var.protected ? 30 : 0
  kms_key_arn       = module.encryption.key_arn
}

module "backup" {
  source = "./modules/backup"
  count  = contains(var.without, "backup") ? 0 : 1

  context        = local.context
  keep_days      = var.backup.keep_days
  copy_vault_arn = var.backup.copy_vault_arn
  kms_key_arn    = module.encryption.key_arn
  protected      = var.protected
}
