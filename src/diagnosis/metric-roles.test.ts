import { describe, expect, it } from 'vitest'
import { endingOf, looksLikeDatabase, peerName, roleOf } from './metric-roles.ts'

describe('roleOf', () => {
  it.each([
    ['http_requests_total', ['method', 'status'], 'requests'],
    ['http_request_duration_seconds', ['route'], 'latency'],
    ['http_client_request_duration_seconds', ['peer'], 'client_latency'],
    ['istio_requests_total', ['destination_service_name', 'response_code'], 'client_requests'],
    ['http_server_requests_seconds', ['uri', 'status'], 'latency'],
    ['http_server_requests_seconds_count', ['uri', 'status'], 'requests'],
    ['grpc_server_handled_total', ['grpc_code'], 'requests'],
    ['process_cpu_seconds_total', [], 'cpu'],
    ['container_memory_working_set_bytes', ['pod'], 'memory'],
    ['node_filesystem_avail_bytes', ['mountpoint'], 'disk_free'],
    ['node_filesystem_size_bytes', ['mountpoint'], 'disk_size'],
    ['hikaricp_connections_pending', ['pool'], 'pool_waiting'],
    ['hikaricp_connections_active', ['pool'], 'pool_used'],
    ['hikaricp_connections_max', ['pool'], 'pool_max'],
    ['db_pool_waiting', [], 'pool_waiting'],
    ['db_query_duration_seconds', ['query'], 'database_latency'],
    ['rabbitmq_queue_messages_ready', ['queue'], 'queue_depth'],
    ['kafka_consumergroup_lag', ['topic'], 'queue_depth'],
    ['queue_oldest_seconds', ['queue'], 'queue_age'],
    ['ssl_certificate_expiry_seconds', ['credential'], 'credential_expiry'],
    ['nodejs_eventloop_lag_seconds', [], 'event_loop'],
    ['llm_errors_total', ['model', 'error_type'], 'provider_errors'],
    ['llm_provider_state', ['provider', 'state'], 'provider_state'],
    ['PodServerLatencyP95(s)', [], 'latency'],
    ['availability_Average', [], 'availability'],
    ['up', [], 'up'],
    ['some_thing', [], 'other'],
  ])('%s with %j is %s', (name, labels, role) => {
    expect(roleOf(name, labels)).toBe(role)
  })
})

describe('endingOf', () => {
  it.each([
    ['200', 'ok'],
    ['404', 'rejected'],
    ['409', 'ok'],
    ['503', 'failed'],
    ['429', 'failed'],
    ['401', 'refused'],
    ['OK', 'ok'],
    ['Unavailable', 'failed'],
    ['timeout', 'failed'],
    ['Unauthenticated', 'refused'],
    ['done', 'ok'],
  ])('%s is %s', (status, ending) => {
    expect(endingOf(status)).toBe(ending)
  })
})

describe('names', () => {
  it('strips scheme, port, path and cluster suffix from a peer', () => {
    expect(peerName('http://payment.svc.cluster.local:8080/charges')).toBe('payment')
    expect(peerName('payment')).toBe('payment')
  })

  it('knows a database by its name', () => {
    expect(['shop-db', 'orders_postgres', 'redis', 'AWS::DynamoDB::Table'].every(looksLikeDatabase)).toBe(true)
    expect(['checkout', 'feedback', 'dbt-runner2x', 'sidebar'].some(looksLikeDatabase)).toBe(false)
  })
})
