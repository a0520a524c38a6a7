// The MTA-STS policy of a domain: the one that is kept, or a newer one, fetched on threads of its own (RFC 8461 §3.3, §5).

import Configuration
import Connection
import Kernel
import MailModel
import MailPolicy
import Resolver
import Synchronization

/// Knows what each domain's policy is now.
final class PolicyBook: Sendable {
    /// Seconds after a failure before a policy is asked for again, and the domains of which a failure is remembered.
    private static let pause: Int64 = 300, mostPauses = 10_000
    /// Mail waits for the answer; RFC 8461 §3.3 has a minute for the most.
    private static let patience = Duration.seconds(15)

    private struct Pause {
        let until: Int64
        let fault: TransportFault
    }

    private let shelf: PolicyShelf
    private let loops: LoopGroup
    /// A server that lets us wait keeps none of the threads that send mail. Behind `mostOffered` domains nothing is fetched.
    private let fetchers = WorkerPool(threads: 8, mostOffered: 64)
    private let pauses = Mutex<[Domain: Pause]>([:])
    private let fetches = Mutex(PolicyFetches<@Sendable (Result<STSPolicy, Failure>) -> Void>())

    init(_ configuration: Configuration, loops: LoopGroup) {
        shelf = PolicyShelf(configuration)
        self.loops = loops
    }

    /// What a fetch needs of the configuration as it is now.
    struct Means: Sendable {
        let resolver: StubResolver
        let port: UInt16
        /// Nil where the roots cannot be read: then nothing is fetched.
        let tls: ClientTLS?
    }

    /// `then` is called once: at once, or on another thread when the policy has come. Blocks on DNS.
    func consult(_ domain: Domain, _ means: Means, then: @escaping @Sendable (STSFinding) -> Void) {
        let name = domain.aLabels ?? domain
        let now = WallTime.now().seconds
        switch STSStep(kept: shelf.policy(of: name), record: record(name, means.resolver), at: now) {
        case .none: then(STSFinding())
        case .use(let kept): then(STSFinding(policy: kept.policy))
        case .useAndRenew(let kept, let id):
            then(STSFinding(policy: kept.policy))
            if pausing(name, now) == nil { fetch(name, id, means, then: nil) }
        case .fetch(let id, let kept):
            if let fault = pausing(name, now) { return then(PolicyBook.finding(kept, fault)) }
            fetch(name, id, means) { result in
                switch result {
                case .success(let policy): then(STSFinding(policy: policy))
                case .failure(let failure): then(PolicyBook.finding(kept, failure.fault))
                }
            }
        }
    }

    private static func finding(_ kept: KeptPolicy?, _ fault: TransportFault) -> STSFinding {
        kept.map { STSFinding(policy: $0.policy) } ?? STSFinding(fault: fault)
    }

    private func record(_ domain: Domain, _ resolver: StubResolver) -> STSRecord? {
        guard case .found(let data) = resolver.records(.text, of: Array("_mta-sts.".utf8) + domain.bytes) else { return nil }
        return STSRecord(texts: data.compactMap { if case .text(let text) = $0 { text } else { nil } })
    }

    private func pausing(_ domain: Domain, _ now: Int64) -> TransportFault? {
        pauses.withLock { pauses in
            guard let pause = pauses[domain], pause.until > now else { return nil }
            return pause.fault
        }
    }

    // MARK: Fetching

    private struct Failure: Error {
        let fault: TransportFault
    }

    /// Joins the fetch for this domain, or begins it. `then` is called once, maybe at once.
    private func fetch(_ domain: Domain, _ id: [UInt8], _ means: Means, then: (@Sendable (Result<STSPolicy, Failure>) -> Void)?) {
        guard fetches.withLock({ $0.join(domain, then) }) else { return }
        let isTaken = fetchers.offer { [self] in
            // One fetch may have failed between the question and now.
            let result = pausing(domain, WallTime.now().seconds).map { .failure(Failure(fault: $0)) } ?? fetched(domain, id, means)
            end(domain, result)
        }
        guard !isTaken else { return }
        let reason = "the MTA-STS policy of \(domain) cannot be fetched: too many others are being fetched"
        end(domain, .failure(Failure(fault: TransportFault("sts-policy-fetch-error", reason))))
    }

    private func end(_ domain: Domain, _ result: Result<STSPolicy, Failure>) {
        for then in fetches.withLock({ $0.end(domain) }) { then(result) }
    }

    private func fetched(_ domain: Domain, _ id: [UInt8], _ means: Means) -> Result<STSPolicy, Failure> {
        let result = asked(domain, means)
        let now = WallTime.now().seconds
        switch result {
        case .success(let text):
            guard let kept = KeptPolicy(id: id, fetched: now, text: text) else {
                return paused(domain, TransportFault("sts-policy-invalid", "the MTA-STS policy of \(domain) cannot be read"), now)
            }
            if !shelf.keep(kept, of: domain, now: now) { writeToStandardError(Array("remoted: the MTA-STS policy of \(domain) cannot be kept\n".utf8)) }
            pauses.withLock { $0[domain] = nil }
            return .success(kept.policy)
        case .failure(let failure): return paused(domain, failure.fault, now)
        }
    }

    private func paused(_ domain: Domain, _ fault: TransportFault, _ now: Int64) -> Result<STSPolicy, Failure> {
        pauses.withLock { pauses in
            if pauses.count >= PolicyBook.mostPauses { pauses = pauses.filter { $0.value.until > now } }
            if pauses.count < PolicyBook.mostPauses { pauses[domain] = Pause(until: now + PolicyBook.pause, fault: fault) }
        }
        return .failure(Failure(fault: fault))
    }

    /// The file, from the first address that gives one.
    private func asked(_ domain: Domain, _ means: Means) -> Result<[UInt8], Failure> {
        func failed(_ reason: String, _ result: String = "sts-policy-fetch-error") -> Result<[UInt8], Failure> {
            .failure(Failure(fault: TransportFault(result, "the MTA-STS policy of \(domain) cannot be fetched: \(reason)")))
        }
        guard let tls = means.tls else { return failed("the trusted roots cannot be read") }
        let end = MonotonicTime.now().adding(milliseconds: PolicyBook.patience.components.seconds * 1000)
        guard let host = Domain(parsing: Array("mta-sts.".utf8) + domain.bytes), let addresses = means.resolver.addresses(of: host).value else {
            return failed("mta-sts.\(domain) has no address")
        }
        var last = failed(addresses.isEmpty ? "mta-sts.\(domain) has no address" : "DNS was too slow")
        for address in addresses {
            let left = end - MonotonicTime.now()
            guard left > .zero else { break }
            let request = HTTPSRequest(
                address: SocketName(address: address, port: means.port), host: host.bytes, path: "/.well-known/mta-sts.txt",
                limit: STSPolicy.mostOctets, timeout: left)
            switch HTTPSClient(loops: loops, tls: tls).get(request) {
            case .content(let text): return .success(text)
            case .notSecure(let reason): last = failed(reason, "sts-webpki-invalid")
            case .failed(let reason): last = failed(reason)
            }
        }
        return last
    }
}
