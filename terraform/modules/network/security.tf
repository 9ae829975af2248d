# Five groups. Who may reach whom stands in one table each for what comes in and what goes out.

locals {
  groups = {
    edge       = "The load balancer: the only one that the internet reaches"
    app        = "Hosts and cluster nodes that run applications"
    data       = "The database"
    cache      = "The cache"
    monitoring = "Prometheus, Alertmanager and Grafana"
  }

  # name => [group, protocol, first port, last port, source: a group, or a network]
  ingress = merge(
    {
      edge_https            = { group = "edge", from = 443, to = 443, source = null, cidr = "0.0.0.0/0", why = "HTTPS from anywhere" }
      edge_http             = { group = "edge", from = 80, to = 80, source = null, cidr = "0.0.0.0/0", why = "Redirected to HTTPS" }
      app_scraped           = { group = "app", from = 9100, to = 9999, source = "monitoring", cidr = null, why = "Exporters" }
      app_nodes             = { group = "app", from = 0, to = 65535, source = "app", cidr = null, why = "Nodes among themselves" }
      data_postgresql       = { group = "data", from = 5432, to = 5432, source = "app", cidr = null, why = "PostgreSQL" }
      data_postgresql_watch = { group = "data", from = 5432, to = 5432, source = "monitoring", cidr = null, why = "PostgreSQL's exporter" }
      cache_redis           = { group = "cache", from = 6379, to = 6379, source = "app", cidr = null, why = "Redis" }
      cache_redis_watch     = { group = "cache", from = 6379, to = 6379, source = "monitoring", cidr = null, why = "Redis' exporter" }
      monitoring_alerts     = { group = "monitoring", from = 9093, to = 9094, source = "monitoring", cidr = null, why = "Alertmanagers among themselves" }
    },
    {
      for port in var.app_ports : "app_port_${port}" =>
      { group = "app", from = port, to = port, source = "edge", cidr = null, why = "From the load balancer" }
    },
    {
      for port in var.app_ports : "app_watch_${port}" =>
      { group = "app", from = port, to = port, source = "monitoring", cidr = null, why = "Metrics of applications" }
    },
  )

  egress = merge(
    {
      app_nodes        = { group = "app", from = 0, to = 65535, target = "app", cidr = null, why = "Nodes among themselves" }
      app_postgresql   = { group = "app", from = 5432, to = 5432, target = "data", cidr = null, why = "PostgreSQL" }
      app_redis        = { group = "app", from = 6379, to = 6379, target = "cache", cidr = null, why = "Redis" }
      app_https        = { group = "app", from = 443, to = 443, target = null, cidr = "0.0.0.0/0", why = "AWS, images and packages, through NAT" }
      app_http         = { group = "app", from = 80, to = 80, target = null, cidr = "0.0.0.0/0", why = "Signed packages, through NAT" }
      watch_exporters  = { group = "monitoring", from = 9100, to = 9999, target = "app", cidr = null, why = "Exporters" }
      watch_postgresql = { group = "monitoring", from = 5432, to = 5432, target = "data", cidr = null, why = "PostgreSQL's exporter" }
      watch_redis      = { group = "monitoring", from = 6379, to = 6379, target = "cache", cidr = null, why = "Redis' exporter" }
      watch_alerts     = { group = "monitoring", from = 9093, to = 9094, target = "monitoring", cidr = null, why = "Alertmanagers among themselves" }
      watch_https      = { group = "monitoring", from = 443, to = 443, target = null, cidr = "0.0.0.0/0", why = "AWS, receivers of alerts, packages" }
      watch_http       = { group = "monitoring", from = 80, to = 80, target = null, cidr = "0.0.0.0/0", why = "Signed packages, through NAT" }
    },
    {
      for port in var.app_ports : "edge_port_${port}" =>
      { group = "edge", from = port, to = port, target = "app", cidr = null, why = "To applications" }
    },
    {
      for port in var.app_ports : "watch_port_${port}" =>
      { group = "monitoring", from = port, to = port, target = "app", cidr = null, why = "Metrics of applications" }
    },
  )
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:Attached by the modules compute, eks, edge, database and cache; the check does not follow outputs
  for_each = local.groups

  name        = "${var.context.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.context.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  #checkov:skip=CKV_AWS_260:Port 80 of the load balancer answers with a redirect to HTTPS and nothing else
  for_each = local.ingress

  security_group_id            = aws_security_group.this[each.value.group].id
  description                  = each.value.why
  ip_protocol                  = "tcp"
  from_port                    = each.value.from
  to_port                      = each.value.to
  cidr_ipv4                    = each.value.cidr
  referenced_security_group_id = each.value.source == null ? null : aws_security_group.this[each.value.source].id

  tags = { Name = "${var.context.name}-${each.key}" }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = local.egress

  security_group_id            = aws_security_group.this[each.value.group].id
  description                  = each.value.why
  ip_protocol                  = "tcp"
  from_port                    = each.value.from
  to_port                      = each.value.to
  cidr_ipv4                    = each.value.cidr
  referenced_security_group_id = each.value.target == null ? null : aws_security_group.this[each.value.target].id

  tags = { Name = "${var.context.name}-${each.key}" }
}
