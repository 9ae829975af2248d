# The load balancer: HTTPS with a certificate that AWS renews, a web firewall before it, paths to applications.

locals {
  # A listener tries rules by number: longer, more special paths come first in `routes`.
  rules = { for index, route in var.routes : route.name => merge(route, { priority = 10 * (index + 1) }) if length(route.paths) > 0 }
}

resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_76:The firewall has the rules against Log4j; the check wants those against VPNs as well
  name                       = var.context.name
  load_balancer_type         = "application"
  security_groups            = [var.security_group_id]
  subnets                    = values(var.subnet_ids)
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protected
  idle_timeout               = 120 # websockets ping every 25 s

  access_logs {
    bucket  = var.log_bucket
    prefix  = "alb"
    enabled = true
  }
}

resource "aws_lb_target_group" "route" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; behind it only the security group edge reaches these ports
  for_each = { for route in var.routes : route.name => route }

  name                 = "${var.context.name}-${each.key}"
  port                 = each.value.port
  protocol             = "HTTP"
  target_type          = "instance"
  vpc_id               = var.vpc_id
  deregistration_delay = 30

  health_check {
    path                = each.value.health_path
    matcher             = "200-399"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  dynamic "stickiness" {
    for_each = each.value.sticky ? ["cookie"] : []

    content {
      type            = "lb_cookie"
      cookie_duration = 3600
    }
  }
}

resource "aws_acm_certificate" "this" {
  domain_name       = var.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  # One name, one record: known before AWS has answered, as for_each needs it.
  for_each = toset([var.domain])

  zone_id         = var.zone_id
  name            = tolist(aws_acm_certificate.this.domain_validation_options)[0].resource_record_name
  type            = tolist(aws_acm_certificate.this.domain_validation_options)[0].resource_record_type
  records         = [tolist(aws_acm_certificate.this.domain_validation_options)[0].resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]

  timeouts {
    create = "20m"
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.this.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.route[var.routes[length(var.routes) - 1].name].arn
  }
}

resource "aws_lb_listener_rule" "route" {
  for_each = local.rules

  listener_arn = aws_lb_listener.https.arn
  priority     = each.value.priority

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.route[each.key].arn
  }

  condition {
    path_pattern {
      values = each.value.paths
    }
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
