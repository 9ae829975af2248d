mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context           = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  domain            = "chat.dev.example.com"
  zone_id           = "Z0123456789ABC"
  vpc_id            = "vpc-0a"
  security_group_id = "sg-0e"
  rate_limit        = 2000
  log_bucket        = "chat-dev-logs"
  log_days          = 7
  protected         = false
  firewall          = true
  routes = [
    { name = "ws", port = 5001, paths = ["/ws/*"], sticky = true },
    { name = "api", port = 5000, paths = ["/api/*"] },
    { name = "web", port = 3000, health_path = "/" },
  ]
  subnet_ids  = { eu-central-1a = "subnet-0a", eu-central-1b = "subnet-0b" }
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "https_only" {
  command = plan

  assert {
    condition     = startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-") && aws_lb_listener.https.protocol == "HTTPS"
    error_message = "HTTPS with TLS 1.3."
  }

  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTP leads to HTTPS."
  }

  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && !aws_lb.this.enable_deletion_protection
    error_message = "Invalid headers are dropped; no protection where nobody asks for it."
  }
}

run "paths" {
  command = plan

  assert {
    condition     = toset(keys(aws_lb_listener_rule.route)) == toset(["ws", "api"]) && aws_lb_listener_rule.route["ws"].priority < aws_lb_listener_rule.route["api"].priority
    error_message = "Rules are tried in the order of routes; the last route needs none."
  }

  assert {
    condition     = length(aws_lb_target_group.route["ws"].stickiness) == 1 && length(aws_lb_target_group.route["api"].stickiness) == 0
    error_message = "Sockets stick to a host, other requests do not."
  }
}

run "firewall" {
  command = plan

  assert {
    condition     = length(aws_wafv2_web_acl.this[0].rule) == 5 && length(aws_wafv2_web_acl_association.this) == 1
    error_message = "The limit and AWS' four groups stand before the load balancer."
  }
}

run "without_firewall" {
  command = plan

  variables {
    firewall = false
  }

  assert {
    condition     = length(aws_wafv2_web_acl.this) == 0 && length(aws_wafv2_web_acl_association.this) == 0
    error_message = "None where the environment wants none."
  }
}

run "routes_without_a_last_one" {
  command = plan

  variables {
    routes = [{ name = "api", port = 5000, paths = ["/api/*"] }]
  }

  expect_failures = [var.routes]
}

run "too_many_paths" {
  command = plan

  variables {
    routes = [{ name = "api", port = 5000, paths = ["/1", "/2", "/3", "/4", "/5", "/6"] }, { name = "web", port = 3000 }]
  }

  expect_failures = [var.routes]
}
