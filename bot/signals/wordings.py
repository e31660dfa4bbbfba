"""How real software words its failures, as an ordered table: the first row with a phrase that fits names the kind.

A phrase is matched against the lower-cased line; ``…`` in it stands for anything, a blank at its edge for a blank.
Narrow meanings come before broad ones: a pool that times out is an exhausted pool, not a timeout. Wordings are those
of the projects named in each row's note; no row knows any one installation.
"""

from typing import Final

from bot.domain.signal import Kind

Row = tuple[Kind, str, tuple[str, ...]]

WORDINGS: Final[tuple[Row, ...]] = (
    (Kind.OOM_KILL, "Linux kernel, kubelet, gunicorn", (
        "memory cgroup out of memory", "invoked oom-killer", "oom-kill:", "oom_reaper", "killed process … total-vm",
        "out of memory: kill", "oomkilled", "was sent sigkill! perhaps out of memory", "system oom encountered",
    )),
    (Kind.POOL_EXHAUSTION, "threads, descriptors, ports", (
        "unable to create new native thread", "unable to create native thread", "can't start new thread",
        "too many open files", "emfile", "cannot assign requested address", "eaddrnotavail",
        "resource temporarily unavailable", "server reached pm.max_children", "server reached maxrequestworkers",
        "worker_connections are not enough", "maximum number of threads", "thread pool is exhausted", "max number of clients reached",
    )),
    (Kind.POOL_EXHAUSTION, "HikariCP, Tomcat JDBC, DBCP, c3p0", (
        "connection is not available, request timed out", "pool empty. unable to fetch a connection",
        "poolexhaustedexception", "cannot get a connection, pool error", "timeout waiting for idle object",
        "timed out waiting for a free available connection", "an attempt by a client to checkout a connection has timed out",
        "sqltransientconnectionexception", "apparent connection leak detected", "connection leak detection triggered",
    )),
    (Kind.POOL_EXHAUSTION, "PostgreSQL, pgbouncer, MySQL", (
        "sorry, too many clients already", "remaining connection slots are reserved", "too many connections",
        "query_wait_timeout", "no more connections allowed", "max_client_conn", "too many clients", "max client connections reached",
        "query timeout while waiting for … server", "user_connections",
    )),
    (Kind.POOL_EXHAUSTION, "SQLAlchemy, psycopg, pgx, sqlx, Knex, node-postgres, Jedis, MongoDB, HTTP clients", (
        "queuepool limit", "couldn't get a connection after", "pooltimeout", "timeout acquiring a connection",
        "resourcerequest timed out", "timeout exceeded when trying to connect", "pool timed out while waiting for an open connection",
        "connection pool timeout", "could not get a resource from the pool", "connection pool exhausted", "pool exhausted",
        "pool is exhausted", "connection pool is full", "pool is full", "waitqueuetimeouterror", "checking out a connection from connection pool",
        "timed out while checking out a connection", "timeout waiting for connection from pool",
        "acquire operation took longer than the configured maximum time", "pending acquire queue has reached",
        "connectionpooltimeoutexception", "pool acquire timeout", "pool … exhausted", "no available connection",
        "all connections are in use", "failed to acquire connection", "unable to acquire jdbc connection",
        "timed out … acquir … connection", "timeout … acquir … connection", "waiting for … connection … pool",
    )),
    (Kind.CIRCUIT_OPEN, "resilience4j, Hystrix, Polly, gobreaker, Envoy", (
        "does not permit further calls", "callnotpermitted", "short-circuited", "circuit breaker is open", "circuit breaker open",
        "circuitbreaker is open", "circuit is open", "breaker is open", "circuitbreakeropen", "circuit open", "opencircuit",
        "brokencircuitexception", "changed state from closed to open", "state transition from closed to open", "from closed to open",
        "reset reason: overflow", "pending_overflow", "ejecting host", "circuit breaker … tripped", "breaker … opened",
        "circuit breaker … opened", "circuit_breaker … open",
    )),
    (Kind.QUEUE_GROWTH, "proxies, brokers, collectors, executors, the kernel", (
        "rejectedexecution", "rejected from java.util.concurrent", "taskrejectedexception", "buffer is full", "buffer full",
        "queue is full", "queue full", "queue overflow", "queue size exceeded", "queue limit", "queue length", "buffer overflow",
        "buffer limit", "buffer exhausted", "bufferexhausted", "backlog … full", "backlog … exceed", "backlog of", "backlog grow", "growing backlog",
        "syn flooding", "listen queue", "backpressure", "back pressure", "back-pressure", "overcoming of output buffer limits",
        "consumer lag", "lag is", "queue depth", "sending queue", "mailbox is full", "channel is full", "channel full",
        "too many pending requests", "pending requests … exceed", "max pending", "request queue", "slow consumer", "queue … overflow",
        "buffer … full", "queue … full", "maximum queue", "high watermark reached", "write_buffer", "dropping … queue", "maximum concurrency",
    )),
    (Kind.DEADLOCK, "PostgreSQL, MySQL, SQL Server, JVM", (
        "deadlock detected", "deadlock found", "deadlock victim", "deadlockloser", "java-level deadlock", "error 1213", "40p01", "deadlock",
    )),
    (Kind.LOCK_WAIT, "PostgreSQL, MySQL, SQLite, Liquibase, distributed locks", (
        "still waiting for … lock", "lock wait timeout", "due to lock timeout", "could not obtain lock", "acquired … lock on … after",
        "waiting for table metadata lock", "database is locked", "could not serialize access", "lock request time out",
        "failed to acquire lock", "could not acquire lock", "unable to acquire lock", "cannot acquire lock", "lock acquisition",
        "locktimeout", "lock timeout", "waiting for lock", "waiting for changelog lock", "waiting for … lock", "cannotacquirelock",
        "pessimisticlock", "holding the lock", "process holding the lock", "55p03", "lock … held by",
    )),
    (Kind.CLOCK_JUMP, "chrony, systemd, etcd, AWS, Snowflake ids", (
        "clock skew", "clock drift", "time jump", "clock jump", "clock moved backwards", "clock is moving backwards",
        "time has been changed", "requesttimetooskewed", "clocksource", "system clock wrong", "system clock was stepped",
        "clock offset", "clock synchroni", "no selectable sources", "clock change detected", "time went backwards", "clock step", "clock is … behind", "clock is … ahead",
    )),
    (Kind.CPU_SATURATION, "kernel, HikariCP, Vert.x, Node", (
        "soft lockup", "rcu_sched", "self-detected stall", "thread starvation", "has been blocked for", "event loop is blocked",
        "event loop blocked", "event loop lag", "event loop delay", "high cpu", "load average",
    )),
    (Kind.IO_SATURATION, "kernel, etcd, Redis, PostgreSQL, InnoDB", (
        "blocked for more than", "blk_update_request", "buffer i/o error", "slow fdatasync", "fsync is taking too long",
        "checkpoints are occurring too frequently", "page_cleaner", "slow disk", "disk is likely too slow", "failed to send out heartbeat",
    )),
    (Kind.NETWORK_SATURATION, "kernel", ("nf_conntrack: table full", "neighbour table overflow", "neighbor table overflow")),
    (Kind.GC_PAUSE, "JVM, Elasticsearch, Cassandra, Hadoop", (
        "pause full", "full gc", "gc overhead limit", "to-space exhausted", "concurrent mode failure", "overhead, spent",
        "pause in jvm", "jvmpausemonitor", "jvm pause", "stop-the-world", "gc pause", "gcinspector", "long gc", "gc … pause of",
        "garbage collection … took", "pause young … concurrent … failure", "gc took",
    )),
    (Kind.OUT_OF_MEMORY, "JVM, V8, Python, Go, Redis, PHP, libc", (
        "outofmemory", "out of memory", "cannot allocate memory", "could not allocate memory", "memoryerror", "oom command not allowed",
        "bad_alloc", "enomem", "allowed memory size", "heap limit allocation failed", "java heap space", "failed to allocate memory",
    )),
    (Kind.MEMORY_PRESSURE, "RabbitMQ, Elasticsearch, Go", (
        "memory resource limit alarm set", "memory high watermark", "circuit_breaking_exception", "memory limit reached",
        "memory usage … exceed", "memory pressure", "memory usage … high", "soft memory limit",
    )),
    (Kind.NO_SPACE, "libc, PostgreSQL, Elasticsearch, Redis, Kafka", (
        "no space left on device", "enospc", "disk full", "disk is full", "could not extend file", "disk quota exceeded",
        "disk watermark", "disk resource limit alarm set", "not enough disk space", "insufficient disk space", "misconf redis",
        "read-only file system", "disk usage exceeded", "out of disk", "volume is full", "disk … % full",
    )),
    (Kind.TLS_FAILURE, "OpenSSL, Go, Java, Node, Python, nginx", (
        "x509:", "certificate has expired", "certificate expired", "certificate verify failed", "certificate is not yet valid",
        "sslhandshake", "ssl handshake", "ssl_do_handshake", "tls handshake error", "tls handshake fail", "tls: ", "pkix path",
        "unable to get local issuer", "bad certificate", "unknown ca", "unknown certificate", "sslv3 alert", "tlsv1 alert",
        "self signed certificate", "self-signed certificate", "cert_has_expired", "err_tls_cert", "does not match certificate",
        "ssl routines", "certificateexpired", "certificatenotyetvalid", "ssl_error", "certificateexception", "unable_to_verify_leaf",
        "sslerror", "certificate … revoked", "certificate … has expired", "invalid certificate", "handshake failure", "handshake failed",
        "certificate problem", "transport_failure_reason:tls", "tls_error",
    )),
    (Kind.NAME_RESOLUTION_FAILURE, "glibc, Go, Java, Node, CoreDNS, nginx, Envoy", (
        "no such host", "name resolution", "name or service not known", "enotfound", "eai_again", "unknownhost",
        "nodename nor servname", "could not resolve host", "servfail", "host not found", "getaddrinfo", "dns lookup",
        "name does not resolve", "could not be resolved", "server misbehaving", "tcp: lookup ", "udp: lookup ", "unable to resolve host", "dns resolution fail",
        "no servers could be reached", "could not translate host name", "plugin/errors:", "failed to resolve", "cannot resolve host",
        "unknown host", "dns error", "dns query … timed out", "dns timeout", "resolution failed", "socket.gaierror",
    )),
    (Kind.RATE_LIMITED, "HTTP 429, AWS, nginx, gRPC, Kubernetes clients", (
        "too many requests", "rate limit", "rate-limit", "ratelimit", "rate exceeded", "throttlingexception", "throttled",
        "client-side throttling", "requestlimitexceeded", "provisionedthroughputexceeded", "slowdown", "limiting requests",
        "limiting connections", "resource_exhausted", "resourceexhausted", "quota exceeded", "quotaexceeded", "over quota",
        "over_query_limit", "too_many_requests", "request limit", "throttling",
    )),
    (Kind.AUTH_FAILURE, "databases, brokers, OAuth, AWS, Kubernetes, Vault", (
        "password authentication failed", "access denied for user", "authentication fail", "authentication required", "noauth",
        "wrongpass", "invalid username-password", "invalid password", "login failed", "pg_hba.conf", "unauthorized",
        "unauthenticated", "403 forbidden", "access denied", "accessdenied", "not authorized", "notauthorized", "token is expired",
        "token expired", "token has expired", "jwt expired", "expired token", "expiredtoken", "expiredjwt", "invalid_grant", "invalid token",
        "invalid jwt", "invalid signature", "signature verification failed", "signaturedoesnotmatch", "signature does not match",
        "sasl authentication", "invalid api key", "bad credentials", "invalid credentials", "invalid_client", "invalidclienttokenid",
        "unrecognizedclient", "permission denied for", "permission_denied", "permissiondenied", "auth failed", "authfail", "auth error",
        "credentials … expired", "credentials … invalid", "is forbidden: user", "access_refused", "28p01", "token … expired",
        "not logged in", "kid … not found", "used before issued", "issued in the future", "token is not valid yet",
        "token is not yet valid", "jwt not active", "token is not active", "token not yet valid", "jwt used before",
    )),
    (Kind.UNAVAILABLE, "Envoy, nginx, HAProxy, ingress-nginx, Traefik, PostgreSQL, Redis, Kafka, Elasticsearch, gRPC", (
        "no healthy upstream", "no live upstreams", "no healthy host", "no healthy backend", "does not have any active endpoint",
        "no available server", "has no server available", "no endpoints available", "no server is available to handle",
        "is down, reason", "all backends are", "the database system is starting up", "the database system is shutting down",
        "in recovery mode", "loading redis is loading", "clusterdown", "masterdown", "leader not available", "leadernotavailable",
        "not_leader", "notleader", "not leader", "notenoughreplicas", "no brokers available", "nobrokersavailable", "cluster_block_exception",
        "all shards failed", "noshardavailable", "no master", "code = unavailable", 'code":"unavailable', "code=unavailable",
        "can't write against a read only replica", "read-only transaction", "no primary", "no leader", "notprimary", "not master",
        "serverselectiontimeout", "service unavailable", "service_unavailable", "service is unavailable", "temporarily unavailable",
        "no nodes available", "nonodeavailable", "statuscode.unavailable", "status.unavailable",
    )),
    (Kind.CONNECTION_REFUSED, "libc, Go, Java, Node, Envoy, nginx", (
        "connection refused", "econnrefused", "actively refused", "no route to host", "ehostunreach", "network is unreachable",
        "enetunreach", "host is unreachable", "host unreachable", "noroutetohost", "connectexception", "remote connection failure",
        "reset reason: connection failure", "delayed connect error: 111", "could not connect to server", "can't connect to mysql server",
        "connection could not be established", "unable to connect to", "newconnectionerror", "clientconnectorerror", "cannot connect to",
        "failed to connect to", "could not connect to", "failed to establish a new connection", "host is down", "connection rejected",
    )),
    (Kind.TIMEOUT, "Go, Java, Node, Python, nginx, Envoy, gRPC, gunicorn, databases", (
        "deadline exceeded", "deadline_exceeded", "deadlineexceeded", "i/o timeout", "io timeout", "timed out", "timed-out", "timedout",
        "timeoutexception", "timeouterror", "read timeout", "readtimeout", "connect timeout", "connecttimeout", "connection timeout",
        "request timeout", "response timeout", "upstream timeout", "gateway timeout", "gateway time-out", "upstream request timeout",
        "etimedout", "esockettimedout", "und_err_headers_timeout", "und_err_connect_timeout", "und_err_body_timeout", "headers timeout",
        "worker timeout", "handshake timeout", "statement timeout", "maximum statement execution time exceeded", "timeout exceeded",
        "client.timeout", "timeout awaiting", "exceeded timeout", "timeout of … exceeded", "timeout after", "timeout while", "timeout waiting",
        "timeout reached", "expiring … record(s) for", "session expired … ms", "operation timeout", "query timeout", "write timeout",
        "socket timeout", "sockettimeout", "softtimelimitexceeded", "timelimitexceeded", "maxtimemsexpired", "socket idle timeout",
        "socket read timed", "exceeded time limit", "took longer than … timeout", "hit timeout", "_timeout expired",
    )),
    (Kind.CONNECTION_RESET, "libc, Go, Java, Node, Python, nginx, Envoy, databases", (
        "connection reset", "connection was reset", "econnreset", "socket hang up", "broken pipe", "epipe", "prematurely closed",
        "premature close", "closed prematurely", "remote end closed connection", "remotedisconnected", "server disconnected",
        "serverdisconnected", "connection aborted", "econnaborted", "connection abort", "unexpected eof", "unexpected end of stream",
        "unexpected end of file", "nohttpresponse", "failed to respond", "closed the connection unexpectedly", "connection closed unexpectedly",
        "connection unexpectedly closed", "connection terminated unexpectedly", "terminating connection due to", "connection lost",
        "reset before headers", "connection termination", "remote reset", "local reset", "other side closed", "und_err_socket",
        "transport is closing", "connection closed before", "lost connection to", "server has gone away", "goaway", "rst_stream",
        "stream was reset", "stream reset", "use of closed network connection", "closedchannel", "connection is closed", "connection has been closed",
        "already closed", "incompleteread", "chunkedencodingerror", "client closed connection", "client prematurely", "peer closed connection",
        "could not receive data from client", "could not send data to client", "eofexception", ": eof", "connection closed by", "disconnected from",
        "connection dropped", "closed by remote", "closed by peer", "aborted connection", "upstream closed", "broker … disconnected",
    )),
    (Kind.SLOW_QUERY, "PostgreSQL, MySQL, MongoDB, Redis, Hibernate, etcd", (
        "slow query", "slow_query", "slow sql", "slowquery", "query_time", "duration: … ms  statement", "duration: … ms  execute",
        "duration: … ms statement", "duration: … ms execute", "duration: … ms  plan", "slow log", "long running query", "long-running query",
        "request took too long", "slow operation", "slow command", "slow statement", "query took", "long running transaction",
    )),
    (Kind.LATENCY, "request logs", (
        "slow request", "request took", "slow response", "high latency", "latency threshold", "took too long", "slo violation",
        "response time exceed", "slow call", "slow upstream",
    )),
    (Kind.PROBE_FAILURE, "kubelet, HAProxy, load balancers", (
        "liveness probe", "readiness probe", "startup probe", "probe failed", "health check … fail", "healthcheck … fail",
        "failed health check", "health check for server … failed", "unhealthy target", "health check timeout",
    )),
    (Kind.EVICTION, "kubelet", ("eviction manager: must evict", "eviction manager: pods", "evicting pod")),
    (Kind.IMAGE_PULL_FAILURE, "kubelet, containerd", ("errimagepull", "imagepullbackoff", "failed to pull image", "pullimage from image service failed")),
    (Kind.CRASH_LOOP, "kubelet", ("crashloopbackoff", "back-off … restarting failed")),
    (Kind.MOUNT_FAILURE, "kubelet, CSI", ("mountvolume", "failedmount", "unable to attach or mount volumes", "multi-attach error")),
    (Kind.NODE_FAILURE, "kubelet, kernel", ("node not ready", "nodenotready", "pleg is not healthy", "container runtime is down", "kernel panic", "spot interruption")),
    (Kind.AUTOSCALER_FAILURE, "autoscalers", ("failed to get cpu utilization", "unable to get metrics for resource", "failed to compute desired number of replicas")),
    (Kind.BAD_CONFIG, "nginx, Spring, Redis, Kubernetes and configuration loaders", (
        "[emerg]", "invalid configuration", "configuration error", "config error", "misconfigur", "missing required", "unknown directive",
        "failed to load config", "failed to parse config", "error parsing config", "error loading config", "error reading config",
        "unable to load config", "cannot load config", "could not resolve placeholder", "beancreationexception", "fatal config file error",
        "unrecognized configuration parameter", "invalid config", "failed to bind properties", "environment variable … not set",
        "environment variable … missing", "environment variable … required", "env var … not set", "yaml: line", "unknown flag",
        "invalid value for", "config validation", "required key", "no such config", "unsupported option", "validationerror: … setting",
        "application failed to start", "unsatisfieddependency", "unknown configuration",
    )),
    (Kind.CONFIG_CHANGE, "servers that reload, feature flags", (
        "reloading configuration", "configuration reload", "config reload", "reloading config", "reloaded config", "sighup", "configuration changed",
        "config changed", "config file changed", "configuration file … modified", "detected change in config", "config … changed on disk", "configuration updated", "config updated", "config change detected", "feature flag", "flag changed", "flag … toggled",
        "flag … enabled", "flag … updated", "new configuration", "loaded new config", "applied config", "completed loading of configuration",
        "backend successfully reloaded", "desired change: ", "changing record.", "configuration loaded from … changed", "refresh keys changed",
    )),
    (Kind.SECRET_CHANGE, "certificate and secret watchers", (
        "updated current tls certificate", "reloaded certificate", "certificate reloaded", "reloading certificate", "certificate renewed", "secret rotated",
        "credentials rotated", "password rotated", "key rotated", "rotated … key", "rotated … secret", "rotating credentials", "secret … updated",
    )),
    (Kind.SHUTDOWN, "PostgreSQL, MySQL, Redis, nginx, gunicorn, Spring, Kafka, Go and Node servers", (
        "sigterm", "sigint", "shutting down", "shutdown request", "graceful shutdown", "gracefully", "database system is shut down", "shutdown complete",
        "signal 15", "signal: term", "signal term", "signal=term", "terminated by signal", "commencing graceful", "stopping service [", "user requested shutdown",
        "normal shutdown", "worker exiting", "draining", "drain complete", "lame duck", "server closed", "server stopped", "stopping server",
        "server is stopping", "service stopped", "exiting on signal", "closing http server", "shutdown hook", "in-flight … abort",
        "in-flight … cancel", "in-flight … drop", "shutdown timeout", "shutdown initiated", "starting shutdown", "begin shutdown", "termination signal",
        "received signal … terminat", "caught signal", "stopping worker", "forcing shutdown", "forced shutdown",
    )),
    (Kind.JOB_RUN, "Spring Batch, Quartz, APScheduler, cron, Airflow, backups", (
        "job: [ … launched with", "job: [ … completed with", 'running job "', "job started", "job finished", "job completed", "starting job",
        "finished job", "batch started", "batch completed", "batch finished", "starting batch", "etl started", "etl finished", "etl completed", "starting etl",
        "etl run", "etl job", "pipeline started", "pipeline finished", "pipeline completed", "backup started", "backup completed", "backup finished",
        "starting backup", "starting import", "import finished", "starting export", "export finished", "scheduled task started", "starting scheduled",
        "cron job", "cronjob", "marking run", "reindex started", "reindexing", "vacuum started", "starting migration",
        "migration completed", "running migration", "starting full load", "compaction started",
    )),
    (Kind.STARTUP, "PostgreSQL, MySQL, MongoDB, Redis, nginx, gunicorn, uvicorn, Spring, .NET, Go and Node servers", (
        "listening on", "listening at", "listening at:", "ready to accept connections", "ready for connections", "waiting for connections",
        "application startup complete", "started server process", "booting worker", "starting gunicorn", "start worker process", "tomcat started on",
        "netty started on", "now listening on", "server started", "server is running", "server running", "starting server", "started … in … seconds",
        "starting … using java", "starting up", "startup complete", "database system was shut down", "database system was interrupted",
        "automatic recovery in progress", "server initialized", "application started", "service started", "starting application", "starting service",
        "starting http server", "serving on", "started successfully", "redis is starting", "starting postgresql", "jvm running for", "starting nginx",
    )),
    (Kind.RETRY, "client libraries", (
        "retrying", "will retry", "retry attempt", "retry in ", "retry after", "retry #", "retries", "retry <*>", "retry=", "attempt <*>", "attempt=",
        "backing off", "backoff", "reconnecting", "reconnect attempt", " requeu", "re-queue", "redeliver", "trying again", "try again",
        "next attempt", "retry:", '"retry"', "retry_count", '"attempt"',
    )),
)  # fmt: skip
