# The zone, and the name under which users come. With routing "latency" several regions answer for it.

resource "aws_route53_zone" "this" {
  #checkov:skip=CKV2_AWS_38:A signed zone breaks where its parent does not follow: a decision of whoever has the parent
  #checkov:skip=CKV2_AWS_39:Queries can be logged in us-east-1 only, and the firewall logs the requests that follow
  count = var.create_zone ? 1 : 0

  name = var.zone
}

data "aws_route53_zone" "this" {
  count = var.create_zone ? 0 : 1

  name = var.zone
}

locals {
  zone_id = var.create_zone ? aws_route53_zone.this[0].zone_id : data.aws_route53_zone.this[0].zone_id
}

resource "aws_route53_record" "alias" {
  for_each = toset(["A"])

  zone_id        = local.zone_id
  name           = var.domain
  type           = each.value
  set_identifier = var.routing == "latency" ? var.context.region : null

  alias {
    name                   = var.target.dns_name
    zone_id                = var.target.zone_id
    evaluate_target_health = true
  }

  dynamic "latency_routing_policy" {
    for_each = var.routing == "latency" ? ["region"] : []

    content {
      region = var.context.region
    }
  }
}
