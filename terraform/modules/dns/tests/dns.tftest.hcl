mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context     = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  zone        = "example.com"
  create_zone = true
  domain      = "chat.example.com"
  target      = { dns_name = "chat-dev-1.eu-central-1.elb.amazonaws.com", zone_id = "Z215JYRZR1TBD5" }
}

run "one_region" {
  command = plan

  assert {
    condition     = aws_route53_record.alias["A"].set_identifier == null && length(aws_route53_record.alias["A"].latency_routing_policy) == 0
    error_message = "One region answers."
  }
}

run "the_nearest_region" {
  command = plan

  variables {
    routing     = "latency"
    create_zone = false
  }

  assert {
    condition     = aws_route53_record.alias["A"].set_identifier == "eu-central-1" && aws_route53_record.alias["A"].alias[0].evaluate_target_health
    error_message = "The nearest region whose hosts answer."
  }

  assert {
    condition     = length(aws_route53_zone.this) == 0
    error_message = "The zone is there already."
  }
}

run "a_domain_of_another_zone" {
  command = plan

  variables {
    domain = "chat.example.org"
  }

  expect_failures = [var.domain]
}
