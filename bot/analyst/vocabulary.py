"""Words people use for what happens in a cluster, as data: patterns to kinds of signal, to intents, to object kinds.

Only a table and two lookups. It knows the trade's words and no incident's names.
"""

import re
from functools import cache

from bot.domain.signal import Kind

K = Kind

_KILLED = (K.OOM_KILL, K.CONTAINER_RESTART, K.CRASH_LOOP, K.POD_KILL)
_RESTARTED = (K.CONTAINER_RESTART, K.OOM_KILL, K.CRASH_LOOP, K.OUT_OF_MEMORY)

KIND_WORDS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    (r"(?:nodes?|hosts?|machines?|vms?|box(?:es)?) (?:(?:was|were|is|are|got|gets?|been|being) )*(?:re-?boot\w*|restart\w*)", (K.NODE_FAILURE,)),
    (r"restart\w*|re-?boot\w*|bounc(?:e|ed|ing)", _RESTARTED),
    (r"crash\w*|back-?off|died?|dies|dying", (K.CRASH_LOOP, K.CONTAINER_RESTART, K.OOM_KILL, K.JOB_FAILURE)),
    (r"oom[- ]?kill\w*|oom\w*|out[- ]of[- ]memory|ran out of (?:memory|ram|heap)|exit(?:ed)? (?:code )?137", (K.OOM_KILL, K.OUT_OF_MEMORY)),
    (r"kill(?:s|ed|ing)?|sigkill", (*_KILLED, K.SHUTDOWN)),
    (r"terminat\w+|sigterm|grace(?:ful(?:ly)?)?(?: (?:periods?|shut-? ?downs?|terminations?))?", (K.SHUTDOWN, K.POD_KILL)),
    (r"(?:pod |container )?start(?:-| )?ups?|new pods?|cold starts?", (K.POD_START, K.STARTUP)),
    (r"shut-? ?downs?|shutting down", (K.SHUTDOWN, K.POD_KILL)),
    (r"evict\w*|preempt\w*", (K.EVICTION,)),
    (r"deploy(?:s|ed|ing|ment|ments)?|roll-?(?:ed )?outs?|releases?|released|new versions?|upgrad\w+", (K.ROLLOUT, K.RELOAD, K.ROLLOUT_STUCK)),
    (r"roll(?:ed)?-? ?backs?|revert\w*", (K.ROLLOUT, K.HUMAN_CHANGE)),
    (r"scal(?:e|ed|ing)[- ]?ups?|scal(?:e|ed|ing) outs?|upscal\w+", (K.SCALE_UP,)),
    (r"scal(?:e|ed|ing)[- ]?(?:downs?|ins?)|downscal\w+", (K.SCALE_DOWN,)),
    (r"(?:auto-?)?scal(?:e|ed|es|ing|er)|hpas?|replicas?", (K.SCALE_UP, K.SCALE_DOWN, K.AUTOSCALER_FAILURE)),
    (r"(?:cron[- ]?)?jobs?(?: runs?)?|crons?|cron-?jobs?|batch|scheduled? (?:run|task)s?|backups?", (K.JOB_RUN, K.JOB_FAILURE)),
    (r"config(?:s|uration|map|maps)?(?: changes?)?|feature flags?|flags?|settings?", (K.CONFIG_CHANGE, K.BAD_CONFIG, K.HUMAN_CHANGE)),
    (r"secrets?(?: rotat\w+)?|passwords?(?: rotat\w+)?|credentials?(?: rotat\w+)?|(?:key )?rotat(?:ed?|ion|ions)", (K.SECRET_CHANGE, K.AUTH_FAILURE)),
    (r"cert(?:s|ificate|ificates)?|expir(?:ed|y|es|ation)", (K.CERTIFICATE_EXPIRY, K.RENEWAL_FAILURE, K.TLS_FAILURE)),
    (r"renew\w*", (K.RENEWAL_FAILURE, K.CERTIFICATE_EXPIRY)),
    (r"tls|ssl|x\.?509|handshakes?", (K.TLS_FAILURE, K.CERTIFICATE_EXPIRY)),
    (r"auth\w*|forbidden|unauthori[sz]ed|401s?|403s?", (K.AUTH_FAILURE, K.CLIENT_ERROR)),
    (r"time-?outs?|timed out|timing out|deadline(?: exceeded)?|504s?", (K.TIMEOUT,)),
    (r"retr(?:y|ies|ied|ying)(?: storms?)?", (K.RETRY,)),
    (r"connection resets?|resets?|broken pipes?|econnreset|(?:requests? )?cut(?:[- ]?off)?", (K.CONNECTION_RESET,)),
    (r"(?:connection )?refused|econnrefused", (K.CONNECTION_REFUSED,)),
    (r"dns|ndots|search domains?|look-?ups?|name resolution|no such host|nxdomain|resolver|coredns", (K.NAME_RESOLUTION_FAILURE,)),
    (r"network\w*|bandwidth|packet loss|packets?|connectivity", (K.NETWORK_SATURATION, K.NAME_RESOLUTION_FAILURE, K.NODE_FAILURE)),
    (r"deadlocks?\w*", (K.DEADLOCK, K.LOCK_WAIT)),
    (r"locks?|locked|locking|lock waits?", (K.LOCK_WAIT, K.DEADLOCK)),
    (r"databases?|dbs?|postgres\w*|mysql|mariadb|mongo\w*", (K.LOCK_WAIT, K.SLOW_QUERY, K.POOL_EXHAUSTION, K.DEADLOCK, K.RESOURCE_SHIFT)),
    (r"slow (?:quer(?:y|ies)|sql)|quer(?:y|ies)", (K.SLOW_QUERY, K.LOCK_WAIT)),
    (r"(?:connection )?pools?(?: exhaust\w+)?|too many (?:connections|clients)|connections?", (K.POOL_EXHAUSTION,)),
    (r"fail-?overs?|leaders?(?: election| change)?s?|elections?|quorum|read-?only|promotions?|switch-?overs?", (K.REPLICA_CHANGE,)),
    (r"queues?|queue[di]\w*|backlogs?|buffers?", (K.QUEUE_GROWTH,)),
    (r"latenc(?:y|ies)|slow(?:ness|er|ly)?|p9\d|response times?|laggy|sluggish", (K.LATENCY, K.SLOW_QUERY)),
    (r"5\d\ds?|5xx|server errors?|bad gateway|internal errors?", (K.SERVER_ERROR, K.UNAVAILABLE)),
    (r"4[03][04-9]s?|4xx|client errors?", (K.CLIENT_ERROR,)),
    (r"429s?|rate[- ]?limit\w*|throttled requests?|too many requests|quota errors?", (K.RATE_LIMITED,)),
    (r"circuit[- ]?breakers?|circuit", (K.CIRCUIT_OPEN,)),
    (r"(?:liveness|readiness|startup )?(?: ?probes?)(?: fail\w*)?|health ?-?checks?|unhealthy", (K.PROBE_FAILURE,)),
    (r"throttl\w+", (K.CPU_THROTTLING, K.RATE_LIMITED)),
    (r"cpu\w*|load(?! ?balanc)|contention|noisy neighbou?rs?", (K.NOISY_NEIGHBOUR, K.CPU_SATURATION, K.CPU_THROTTLING, K.RESOURCE_SHIFT)),
    (r"(?:under|over)-?(?:provisioned|sized|resourced|powered)|(?:too|not enough|out of) (?:small|resources|compute|cpu|cores)", (K.CPU_THROTTLING, K.CPU_SATURATION, K.POD_SHORTFALL, K.SCHEDULING_FAILURE, K.QUOTA_EXCEEDED, K.MEMORY_PRESSURE, K.OOM_KILL, K.OUT_OF_MEMORY)),
    (r"(?:memory )?leak\w*|memory|heap|ram|rss", (K.MEMORY_GROWTH, K.MEMORY_PRESSURE, K.OOM_KILL, K.OUT_OF_MEMORY, K.RESOURCE_GROWTH, K.RESOURCE_SHIFT)),
    (r"disks?|volumes?|no space|disk ?-?full|storage|inodes?", (K.DISK_HOG, K.DISK_PRESSURE, K.NO_SPACE, K.IO_SATURATION, K.MOUNT_FAILURE)),
    (r"i/?o|iops|iowait", (K.IO_SATURATION,)),
    (r"gc|garbage collect\w+|stop[- ]the[- ]world", (K.GC_PAUSE,)),
    (r"jvms?|java", (K.GC_PAUSE, K.MEMORY_PRESSURE, K.OUT_OF_MEMORY)),
    (r"traffic(?: growth| increase)?|requests? rise|load spikes?|campaign|flash sale|ddos", (K.TRAFFIC_RISE,)),
    (r"nodes? (?:fail\w*|down|lost|dead|died|dies|dying|gone|crash\w*|not ?ready)|not ?ready|node (?:reboot|outage)", (K.NODE_FAILURE,)),
    (r"(?:node )?drain\w*|cordon\w*", (K.DRAIN_BLOCKED, K.EVICTION, K.NODE_FAILURE, K.SHUTDOWN, K.POD_KILL)),
    (r"(?:pod )?disruption budgets?|pdbs?", (K.DRAIN_BLOCKED, K.EVICTION, K.NODE_FAILURE)),
    (r"creat(?:ed?|ion)|introduced|edited|modified", (K.CONFIG_CHANGE, K.SECRET_CHANGE, K.HUMAN_CHANGE)),
    (r"(?:too few|fewer|not enough|missing|short(?:age|fall)? of) (?:pods|replicas|capacity)|(?:pod )?shortfalls?", (K.POD_SHORTFALL, K.SCHEDULING_FAILURE)),
    (r"(?:enough |spare |free |no )?(?:capacity|headroom)|no room", (K.SCHEDULING_FAILURE, K.POD_SHORTFALL, K.QUOTA_EXCEEDED)),
    (r"schedul(?:ing|able)|unschedulable|pending pods?", (K.SCHEDULING_FAILURE,)),
    (r"image(?: pull)?s?|imagepullbackoff|errimagepull|registry", (K.IMAGE_PULL_FAILURE,)),
    (r"mounts?|mounting", (K.MOUNT_FAILURE,)),
    (r"(?:resource ?)?quotas?", (K.QUOTA_EXCEEDED, K.RATE_LIMITED)),
    (r"third[- ]?part(?:y|ies)|vendors?|upstream provider|(?:cloud )?providers?|cloud|aws|gcp|azure|external|outside", (K.EXTERNAL_FAILURE,)),
    (r"outages?|unavailab\w+|down ?time|503s?|no endpoints", (K.UNAVAILABLE, K.EXTERNAL_FAILURE, K.SERVER_ERROR)),
    (r"(?<!o')(?<!o\u2019)clock(?: (?:jump|skew|drift))?|ntp", (K.CLOCK_JUMP,)),
    (r"(?:manual|human) (?:change|edit)s?|manually|by hand|kubectl|somebody changed|migrations?", (K.HUMAN_CHANGE, K.CONFIG_CHANGE)),
    (r"what (?:\w+ )?changed|any changes?|changes made", (K.ROLLOUT, K.CONFIG_CHANGE, K.SECRET_CHANGE, K.HUMAN_CHANGE)),
    (r"alerts?|alarms?|warn(?:ed|ings?)?|paged?|pages", (K.ALERT,)),
    (r"errors?|exceptions?|stack ?traces?|failures?", (K.LOG_ERROR, K.LOG_BURST, K.SERVER_ERROR)),
)  # fmt: skip
"""Pattern (whole words, lower case) → the kinds of signal it may mean, the nearest first."""

GENERAL = frozenset({K.LOG_ERROR, K.LOG_BURST, K.ALERT})
"""Kinds that any trouble may also show as."""

WIDER: dict[Kind, tuple[Kind, ...]] = {
    K.CONTAINER_RESTART: (K.POD_KILL, K.POD_START, K.SHUTDOWN, K.STARTUP),
    K.ROLLOUT: (K.CONFIG_CHANGE, K.HUMAN_CHANGE, K.POD_START),
    K.JOB_RUN: (K.STARTUP,),
    K.SERVER_ERROR: (K.UNAVAILABLE, K.LOG_ERROR, K.ALERT),
}
"""Kinds to look for where nothing of the first choice was seen: a pod that is replaced also "restarts"."""

MISTAKEN: dict[Kind, tuple[Kind, ...]] = {
    K.NETWORK_SATURATION: (K.CONNECTION_RESET, K.CONNECTION_REFUSED),
    K.SLOW_QUERY: (K.POOL_EXHAUSTION, K.TIMEOUT),
    K.NODE_FAILURE: (K.CPU_SATURATION, K.MEMORY_PRESSURE),
}
"""What people take for a kind of trouble: cut-off requests look like the network, whoever cut them off."""

OBJECT_WORDS: tuple[tuple[str, str], ...] = (
    (r"cron-?jobs?|crons?", "CronJob"),
    (r"hpas?|(?:horizontal )?(?:pod )?auto-?scalers?", "HorizontalPodAutoscaler"),
    (r"nodes?", "Node"),
    (r"statefulsets?", "StatefulSet"),
    (r"daemonsets?", "DaemonSet"),
    (r"configmaps?", "ConfigMap"),
    (r"secrets?", "Secret"),
    (r"ingress(?:es)?", "Ingress"),
    (r"hosts?", "Host"),
    (r"(?:resource ?|compute ?|namespace ?)?quotas?", "ResourceQuota"),
    (r"(?:pod ?)?disruption ?budgets?|pdbs?", "PodDisruptionBudget"),
    (r"limit ?ranges?", "LimitRange"),
    (r"network ?polic(?:y|ies)", "NetworkPolicy"),
    (r"certs?|certificates?", "Certificate"),
    (r"pvcs?|volume claims?", "PersistentVolumeClaim"),
)
"""Words for kinds of object; "deployment" is missing because people mean the rollout."""

ACTS_THROUGH: dict[str, frozenset[Kind]] = {
    "ResourceQuota": frozenset({K.QUOTA_EXCEEDED, K.POD_SHORTFALL}),
    "LimitRange": frozenset({K.QUOTA_EXCEEDED, K.OOM_KILL, K.CPU_THROTTLING}),
    "PodDisruptionBudget": frozenset({K.DRAIN_BLOCKED}),
    "HorizontalPodAutoscaler": frozenset({K.SCALE_UP, K.SCALE_DOWN, K.AUTOSCALER_FAILURE}),
    "ConfigMap": frozenset({K.BAD_CONFIG, K.RELOAD, K.CONFIG_CHANGE}),
    "Secret": frozenset({K.AUTH_FAILURE, K.RELOAD, K.SECRET_CHANGE}),
    "Certificate": frozenset({K.CERTIFICATE_EXPIRY, K.RENEWAL_FAILURE, K.TLS_FAILURE}),
    "PersistentVolumeClaim": frozenset({K.MOUNT_FAILURE, K.NO_SPACE}),
    "NetworkPolicy": frozenset({K.CONNECTION_REFUSED, K.TIMEOUT}),
    "Host": frozenset({K.EXTERNAL_FAILURE, K.IMAGE_PULL_FAILURE}),
}
"""What an object does to others: a budget that blocks a drain shows in the drain's events, where the workload stands."""

SYNONYMS: tuple[tuple[str, str], ...] = (
    (r"databases?|dbs?|sql", r"postgres\w*|pg|pgsql|mysql|mariadb|mongo\w*|db|database|cockroach\w*|oracle|mssql|cassandra|etcd"),
    (r"caches?", r"redis|memcached?|valkey|cache|varnish"),
    (r"brokers?|message queues?|queues?", r"kafka|rabbitmq|nats|broker|activemq|pulsar|sqs|queue"),
    (r"gateways?|load ?balancers?|lb|prox(?:y|ies)|ingress|edge", r"gateway|gw|ingress|envoy|nginx|haproxy|traefik|kong|edge|proxy|lb"),
)  # fmt: skip
"""What people call a part → parts of names such things carry, used only where no name matches the word itself."""

FRONT = re.compile(r"gateways?|load-?balancers?|lb|prox(?:y|ies)|ingress|edge", re.IGNORECASE)
"""What people call the place where they feel it, whatever its name is."""

HOLDS = re.compile(
    r"\bwho(?:'?s| is| was)? (?:holding|holds|held|hogging|hogs|eating|eats|blocking|blocks|starving|filling|flooding|killing|kills)\b",
    re.IGNORECASE,
)
"""Asked of things, not of people: what holds a lock, what fills a disk."""
FRAGMENT = re.compile(
    r"^\W*(?!(?:what|which|when|where|who|how|why|any|more|other|else|list|all)\b)(?:[\w./-]+\W+){0,3}[\w./-]+\s*\?+\W*$",
    re.IGNORECASE,
)
"""A few words and a question mark: whether it was that."""

_YES_NO = r"^\W*(?:(?:so|and|but|hey|ok|well|hm+)\W+)*(?:is|was|are|were|isn'?t|wasn'?t|aren'?t|weren'?t|did|didn'?t|does|do|could|couldn'?t|can|might|may|would|had|has|have)\b"
"""How a question begins that wants a yes or a no."""

INTENT_WORDS: tuple[tuple[str, str], ...] = (
    (r"(?:can|could|may|shall|should) (?:i|we|you) (?:\w+ )?(?:close|resolve|stand down|call it|sign off|go (?:back )?to (?:bed|sleep)|relax|stop (?:watching|worrying))\b|(?:ok|okay|safe|time|good) to (?:close|resolve|stand down|go (?:back )?to (?:bed|sleep))\b|^\W*(?:(?:so|and|ok|are)\W+)*we (?:all )?(?:good|ok|okay|fine|safe|clear|done)(?: now| again)\b", "close"),
    (r"why (?:can'?t|cannot|couldn'?t|won'?t|doesn'?t|didn'?t|isn'?t|wasn'?t|aren'?t|weren'?t|hasn'?t)(?: the)? [\w./-]+(?: being| been| get)? (?:renew|scal|start|schedul|pull|resolv|connect|recover|com(?:e|ing)|mount|roll|drain|finish|work|authenticat|log)\w*", "summary"),
    ((r"\b(?:pattern|rhythm|regularity|periodicity)\b|periodic(?:al|ally)?\b|regularly|(?:at|is it) (?:always |usually )?(?:the )?same (?:time|hour)\b(?! as)|(?:at|around) what (?:time|hour)s? (?:of|do|does)\b|times? of (?:the )?day|"
     r"(?:recover|better|stop|quiet|calm|fine|ok|go away|clear up)\w* (?:at|during|over|in|on) (?:the )?(?:night|day|evening|morning|weekend)s?\b|why (?:only|always|just|mostly) (?:at|in|on|during|around|between)|why (?:at|in|on|during|around) .*\b(?:only|always)\b|(?:get|got|getting|become|became|becoming|is it|was it) (?:worse|better|more often|more frequent|rarer)\b|\b(?:over time|trend)\b|\bcompar\w+ (?:with|to|against)\b|\b(?:versus|vs\.?) (?:yesterday|last|mon|tue|wed|thu|fri|sat|sun)\w*"), "rhythm"),
    (r"when (?:does|will|would) (?:it|this|that) (?:stop|end|be over|go away|recover)", "since_when"),
    (r"\btell (?:the two|the \w+|them|these|those|which|it)\b.*\bapart\b|\bdistinguish\b", "guess"),
    (r"what (?:ended|stopped) (?:it|this|that|them)(?=\W*$| (?:at|on|then|again|in the)\b)|what made (?:it|this|that|them) (?:stop|end|go away|recover)\b|(?:why|how) did (?:it|this|that) (?:end|stop|go away)\b", "ended"),
    (r"(?:which|what) (?:exceptions?|errors?|messages?|stack ?traces?)\b.*\b(?:thr[eo]ws?|thrown|log\w*|said?|show\w*|print\w*|raise\w*|gave|got|get)\b", "show_evidence"),
    (r"what (?:did|does|do|has|had|was|were|is) (?:the )?(?!(?:people|everybody|everyone|any(?:body|one)|some(?:body|one)|they|we|you|team|users?|customers?)\b)[\w./-]+ (?:say|said|saying|complain\w*|log|logged|logging|write|written|print\w*)\b", "show_evidence"),
    (r"(?:which|what) (?!(?:cron ?)?jobs?\b)\w+ (?:are|is|were|was|get|got|see|saw) (?:\w+ )?(?:hit|affected|impacted|failing|broken|concerned|5\d\ds?|errors?)\b", "affected"),
    (r"(?:best|your|a) guess\b|gut feeling|what do you (?:think|make of)|your (?:take|opinion|theory)", "guess"),
    (r"(?:what|where)(?: do we| to| should we)? (?:now|next|from here)\b|now what\b|next steps?\b|where (?:do|should|to) (?:we |i )?(?:look|dig|start)|(?:would|will|could) .*\b(?:be enough|suffice|do the trick)\b", "fix"),
    (r"(?:did|has|have|had)\b(?!.*\bcaus).*\b(?:help|helped|fix|fixed|solve|solved|improve|improved|work|worked|make (?:it|things) (?:any )?better|make a difference)\b(?!.*\b(?:relat|how)\w*)\W*(?:it|this|that|anything|at all)?\W*$", "helped"),
    ((r"what(?:'?s| is| was| would be) the (?:\w+ )?(?:fix|remedy|solution|workaround|mitigation)\b|work-?arounds?\b|(?:it|this|that) (?:doesn'?t|does not|never|won'?t|can'?t|not) (?:happen|come back|occur|recur)|"
     r"^\W*(?:(?:so|ok|just|maybe|then|shall (?:we|i)|should (?:we|i))\W+)*(?:roll ?back|revert|restart|scale (?:up|down|out)|kill|disable|pause|drain|cordon|delete|raise|bump|suspend)\b(?!.*\b(?:relat|caus|involv|connect|part of|matter|happen|when|why)\w*)[^?]*\?"), "fix"),
    (r"(?:what|which|who|anything)(?:'?s| is| was| were| are)?(?: \w+){0,4} (?:ruled? out|excluded|set aside|dismissed|eliminated|discarded)|^\W*ruled out\W*$|what (?:is|was|are) it not\b", "why_not"),
    (r"(?:are|r) you sure|^\W*(?:and |so |but )?(?:you )?(?:really |quite )?sure\b|^\W*really\W*$|(?:is|are) (?:that|this|you) (?:right|correct)\b|why (?:didn'?t|couldn'?t|did(?:n't)? you not|can'?t) (?:you )?(?:find|see|tell)", "how_sure"),
    (r"what (?:don'?t|didn'?t|do|did) you (?:not )?(?:know|see|have|miss)\b|what(?:'?s| is| was| remains) (?:still )?(?:unknown|unclear|uncertain|open)\b", "not_seen"),
    (r"(?:which|what)(?:'?s| is| was| are| were)? (?:the |its |their )?(?:\w+ ){0,2}?(?:version|image|tag|build|commit|revision|sha)s?\b", "version"),
    (r"who(?:'?s| is| else)? (?:calls?|calling|uses?|using|depends? on)|(?:which|what) (?:\w+ ){0,4}(?:calls?|uses|depends? on|talks? to) (?:it|this|that|them|the|\w)|what (?:does|do|did) .*\b(?:call|depend on|talk to)\b", "callers"),
    (r"(?:which|what) (?:pods?|workloads?|services?|deployments?|apps?|things?|else)?(?: \w+){0,2} ?\b(?:on|in) (?:it|that|this|the) ?(?:node|machine|host|box|vm)?\W*$|(?:which|what) .*\b(?:ran|run|running|runs|sat|scheduled|lived|was|were) on (?:it|that|this|the)\b", "pods_on"),
    (r"(?:fine|ok|okay|good|normal|healthy|clean|quiet|stable|working) before\b|before (?:that|this|it|then)\b.*\b(?:fine|ok|okay|good|normal|healthy|clean|quiet|stable|working)|^\W*(?:(?:and|so|what|what about|what happened|what was|anything)\W+)*(?:right |just |shortly )?before (?:that|this|it|then)\W*$", "before"),
    (r"\b(?:us or them|them or us|us or the \w+|(?:our|their|your|my) (?:fault|side|end|problem|bug))\b|(?:is|was) it (?:us|them|ours|theirs|on us|on them)\b|^\W*(?:(?:so|and|ok|is|are)\W+)*(?:all|everything|it all|we(?: all)?|things) (?:good|ok|okay|fine|clear|green|healthy|normal)\b|nothing (?:wrong|to worry)|(?:should|do) (?:i|we) (?:need to )?worry|anything to worry", "summary"),
    ((r"prove[sd]? (?:you|it|this|that) wrong|(?:could|might|may|can) (?:you|this|it|that) be (?:wrong|mistaken)|are you wrong|disprov\w+|falsif\w+|refut\w+|(?:speaks|argues|evidence|case|counts) against|"
     r"change your mind|how (?:can|could|would|do|should) (?:we|i) (?:test|verify|check|confirm)"), "falsify"),
    (r"how (?:sure|certain|confident|reliable|likely)|are you (?:really )?(?:sure|certain)|confiden(?:ce|t)|trust (?:this|you|it)", "how_sure"),
    ((r"(?:did|do|could|can)(?: you)?(?:n't| not) (?:you )?(?:see|look|read|check|find)|(?:was|is|are|were|what'?s?|anything) (?:\w+ )?missing|"
     r"(?:did|have) you (?:even |really )?(?:look|check|see|read|seen|looked|checked)\w*|blind spots?|coverage|(?:data )?gaps?|what (?:did|do) you (?:not|miss)\w*|you (?:miss|overlook)\w*|not see"), "not_seen"),
    ((r"(?:which|what|who)(?:'?s)? .*\b(?:affected|impacted|hurt|suffer\w*|down)|who (?:felt|feels)"), "affected"),
    ((r"how (?:many|much|often|frequent\w*|bad)|every \d+ ?(?:h|hours?|m|min\w*)\b|how big|(?:longest|shortest|worst|biggest|largest)\b|what(?:'?s| is| was) the impact|blast radius"), "how_much"),
    ((r"what(?:'?s| is| are| was) (?:the |its |our )?(?:\w+ )?(?:grace ?periods?|schedules?|limits?|(?:min|max)?replicas|stabili[sz]ation\w*|settings?|thresholds?|timeouts?)\b|"
     r"\b(?:grace ?period|schedule|replicas|settings?) (?:of|for)\b"), "setting"),
    ((r"(?:^\W*|\b)eta\b|(?:when|what time).*(?:next|again|happen again|recur|come back)|next (?:time|occurrence|one|run|episode|outage|spike)|how long (?:until|till|before)|"
     r"will (?:it|this|that|they) (?:happen|come|occur|recur)|(?:happen|occur) again|predict\w*|(?:going|about|likely|bound) to (?:happen|recur|occur|come back)|(?<!since )(?:when|what time) (?:does|do|will)\b"), "when_next"),
    ((r"(?:when|what time|how long ago) (?:did|does|do|has|have|had|was|is|were)\b|when'?s? (?:was|did)|since when|(?:first|last) (?:time|seen)\b|"
     r"(?:is|are|was|were|has|have|did) (?:it|this|that|they|we|the (?:incident|outage|issue|problem)) (?:all )?(?:been |get |ever )?(?:still|over|done|gone|finished|fixed|resolved|recover(?:ed)?|solved|mitigated|stop(?:ped)?|end(?:ed)?|back)\b|still (?:happening|going|broken|failing)|how long (?:did|does|do|has|is|was|were)"), "since_when"),
    ((r"(?:how|what) (?:do|can|should|could|would|will|to)?\s*(?:\w+\s+){0,3}(?:fix|solve|prevent|avoid|mitigat\w*|stop|remedy|repair)\w*|"
     r"what (?:should|can|could|must) (?:we|i|you) (?:do|change)|(?:what|which) (?:to )?(?:changes?|actions?)\b(?! (?:happened|were|was))|should (?:we|i) (?!know|see|trust|worry)\w+|(?:can|could) (?:we|i) (?:just )?"
     r"(?:roll|revert|restart|scale|raise|kill|disable|pause|turn|drain|delete|remove|change|lower|increase|move|shift|reschedul|postpone|delay|skip|throttle|cap|limit|patch|add|switch)\w*|(?:would|will|might) .*\bhelp(?:ed)?\b|recommend(?!ations?\b.*\brelat)\w*|remediat\w*|"
     r"^(?:the )?fix(?:es)?\b|how (?:to|do we|do i|can we) (?:fix|solve|prevent|stop)"), "fix"),
    ((r"\bwhy (?:not|is it not|isn'?t|wasn'?t|couldn'?t|can'?t)|why .*(?:and not|rather than|instead of|not the|rul\w+ out|exclud\w+|dismiss\w*)|how come .* not|"
     r"couldn'?t (?:it|this) (?:be|have been)\b"), "why_not"),
    ((r"(?:show|give|see|list|print|where(?:'s| is| are)|what(?:'s| is)) (?:\w+ ){0,4}(?:evidence|proof|quotes?|logs?|(?:log )?lines?|errors?)|"
     r"evidence|proof|prove|how do (?:you|we) know|what makes you|based on what|how did you (?:come|arrive|get|find|know|conclude)\w*|\bsays who"), "show_evidence"),
    ((r"(?:un)?relat\w+|connect(?:ed|ion to)|part of (?:it|this|that|the|what)|(?:did|could|would|might|does) .*\bcaus(?:e|ed|ing)\b|caus(?:e|ed) (?:it|this|that|by)|"
     r"because of|due to|responsible|to blame|blam\w+|involved|\btied?\b|correlat\w*|contribut\w*|trigger\w*|coinciden\w+|"
     r"(?:any|some|no)thing to do with|(?:make|made|lead|led|leading) (?:\w+ )?(?:to|it worse)|ha(?:d|s|ve) an? (?:effect|impact)|"
     r"behind (?:it|this|that|the|all)\b|have (?:caused|started)|culprit|guilty|at fault|harm(?:ful|ed)|innocent|"
     r"(?:is|was|were)(?:n'?t| not)? (?:it|this|that) (?:the|a|an|just)\b|^(?!\W*(?:what|who|which|why)\b).*\b(?:is|was)(?:n'?t| not)? (?:really |just )?the (?:root )?(?:cause|trigger|culprit|reason)\b"), "related"),
    (_YES_NO + r".*\b(?:bad|buggy|faulty|broken release)\W*$", "related"),
    (_YES_NO + (r".*\b(?:the|a) (?:root |real |main )?(?:cause|trigger|problem|reason|issue|culprit|victim)\b|" + _YES_NO + r".*\b(?:do|done|break|broken?|start(?:ed)?|kill(?:ed)?|bring|brought|take|took) (?:it|this|that|everything|something|anything|us)\b|"
     + _YES_NO + r".*\bmatter(?:s|ed)?\b|" + _YES_NO + r".*\bbecause\b|^\W*(?:(?:so|and|but)\W+)*(?:could|might|may) (?!you|we|i\b).*\b(?:be|have)\b|"
     r"^\W*(?:(?:so|and|but|then)\W+)*(?:is|was|are|were)(?:n'?t)? (?:it|this|that|they) (?!ok|true|possible|clear|normal|bad)\w+"), "related"),
    ((r"what (?:else )?(?:happen\w*|went on|was going on|did|was .* doing|occurred|changed|broke|went wrong)|what'?s? (?:up|going on) with|"
     r"anything (?:happen\w*|odd|strange|unusual|wrong)|timeline|what about|tell me about|happened|describe|going on"), "what_happened"),
    ((r"root cause|what (?:was|is|were) the (?:cause|reason|problem|issue)|who (?:broke|did|caused|is to blame|was it)\b|what'?s? (?:the )?(?:cause|reason|behind|wrong)|"
     r"what caused|summar\w*|tl;?dr|explain|why (?:did|do|does|is|are|were|was)|cause\??$|\bwhy\??$|overview|recap"), "summary"),
)  # fmt: skip
"""Pattern → intent, the most telling first."""

STEP = re.compile(r"\b(?:step|schritt)\s*(?:no\.?|number|#)?\s*(\d{1,2})\b|\bs(\d{1,2})\b", re.IGNORECASE)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{pattern})(?![\w])", re.IGNORECASE)


def kinds_ranked(text: str) -> tuple[Kind, ...]:
    """Give the kinds of signal a text speaks of, the nearest to its words first."""
    places: dict[Kind, int] = {}
    for pattern, kinds in KIND_WORDS:
        if _compiled(pattern).search(text):
            for place, kind in enumerate(kinds):
                places[kind] = min(place, places.get(kind, place))
    found = kinds_in(text)[0]
    return tuple(sorted(found, key=lambda kind: (places.get(kind, 0), kind.value)))


def kinds_in(text: str) -> tuple[frozenset[Kind], tuple[str, ...]]:
    """Give the kinds of signal a text speaks of and the words that say so; a longer phrase hides the shorter in it."""
    hits = [(match, kinds) for pattern, kinds in KIND_WORDS for match in _compiled(pattern).finditer(text)]
    spans = [match.span() for match, _ in hits]
    kept = [
        (match, kinds)
        for match, kinds in hits
        if not any(s <= match.start() and match.end() <= e and e - s > match.end() - match.start() for s, e in spans)
    ]
    kept.sort(key=lambda hit: hit[0].start())
    return frozenset(kind for _, kinds in kept for kind in kinds), tuple(match[0].lower() for match, _ in kept)


def object_kinds_in(text: str) -> tuple[str, ...]:
    """Give the kinds of Kubernetes object a text names, in the table's order."""
    return tuple(kind for pattern, kind in OBJECT_WORDS if _compiled(pattern).search(text))


def intent_of(text: str) -> str | None:
    """Give the first intent whose words the text holds, or None."""
    return next((intent for pattern, intent in INTENT_WORDS if _compiled(pattern).search(text)), None)


def synonyms_of(word: str) -> re.Pattern[str] | None:
    """Give a pattern of the name parts that a general word such as "database" stands for, or None."""
    return next((re.compile(parts) for pattern, parts in SYNONYMS if re.fullmatch(pattern, word)), None)


@cache
def lexicon() -> tuple[str, ...]:
    """List the words that a misspelt word may have been meant to be, six letters or more."""
    said = " ".join(pattern for pattern, _ in (*KIND_WORDS, *INTENT_WORDS, *OBJECT_WORDS))
    whole = re.findall(r"(?<![\w)\\(])[a-z]{5,}(?![\w(\\])", said)
    extra = """restart restarts restarted deployment deployed rollback scaling autoscaler related happened happen cause caused evidence recommend
    prevent confident summary latency certificate timeout connected connection gateway yesterday crashed killed container"""
    return tuple(sorted({*whole, *extra.split()}))
