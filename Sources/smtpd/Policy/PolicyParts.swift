// What all sessions of port 25 share to judge recipients.

import Configuration
import Connection
import Kernel
import MailPolicy
import Resolver

/// Made before the first connection, and anew when the configuration changes; memory and threads stay.
struct PolicyParts: Sendable {
    private(set) var configuration: PolicyConfiguration
    /// How long a client waits for answers of DNS, from MAIL on.
    private(set) var patience: Duration
    private(set) var resolver: StubResolver
    /// Threads of the policy's own: a name server that is slow must keep no login waiting.
    let workers: WorkerPool
    let memory: PolicyMemory
    let intake: Intake

    private static let threads = 16

    init(_ configuration: Configuration, _ memory: PolicyMemory, _ intake: Intake) {
        self.configuration = configuration.policyConfiguration
        patience = configuration.policy.patience
        resolver = PolicyParts.resolver(configuration)
        workers = WorkerPool(threads: PolicyParts.threads)
        self.memory = memory
        self.intake = intake
    }

    func renewed(_ new: Configuration) -> PolicyParts {
        var parts = self
        parts.configuration = new.policyConfiguration
        parts.patience = new.policy.patience
        parts.resolver = PolicyParts.resolver(new)
        memory.limit(to: new.policy)
        return parts
    }

    private static func resolver(_ configuration: Configuration) -> StubResolver {
        StubResolver(servers: configuration.dns.servers.map { ($0.host, $0.port) })
    }

    /// Asks on a worker; whatever comes of it is delivered. When too much waits already, or it is too late, nothing is known.
    func ask(_ question: DNSQuestion, until deadline: MonotonicTime, for address: ReplyAddress<SessionAnswer>) {
        let resolver = resolver
        let isTaken = workers.offer {
            if address.isGone { return }
            let finding = MonotonicTime.now() < deadline ? resolver.finding(question) : .unavailable
            address.deliver(.policy(.finding(question, finding)))
        }
        if !isTaken { address.deliver(.policy(.finding(question, .unavailable))) }
    }
}

/// What comes back to a session for its policy.
enum PolicyAnswer: Sendable {
    /// It is true of the name, whichever transaction asked for it.
    case finding(DNSQuestion, DNSFinding)
    /// The time to look whether the client has waited long enough.
    case alarm
}
