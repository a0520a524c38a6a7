// One job's way through the servers of its destination.

import Configuration
import Kernel
import MailFormat
import MailModel
import MailPolicy
import Resolver
import SMTPProtocol

/// A job's way through the servers of its destination, until one of them speaks of the message.
struct Attempt: Sendable {
    private(set) var job: Job
    private(set) var content: OutgoingContent
    /// As it was when the attempt began: a reload changes the next one.
    let configuration: Configuration
    let resolver: StubResolver
    let finding: STSFinding
    /// Of the kept connections, from before its configuration was looked at.
    let generation: Int
    /// For the next connection alone, in place of what is decided about its server.
    var weaker: Security?
    /// What the server before this one came to.
    var last: [RemoteResult] = []
    /// Some server could not be asked: what the others lack is not the last word.
    var isInDoubt = false

    /// Itself for other messages under the same terms.
    var withoutMessage: Attempt {
        var terms = self
        terms.content = OutgoingContent([])
        terms.weaker = nil
        terms.last = []
        return terms
    }

    func taking(_ job: Job, _ content: OutgoingContent) -> Attempt {
        var next = self
        next.job = job
        next.content = content
        return next
    }

    /// `connection` leads to the first of these servers already.
    func begin(_ targets: ArraySlice<Target>, with sender: Sender, on connection: KeptConnection? = nil) {
        guard !sender.stops else { return sender.post(job, []) }
        guard let target = targets.first else { return sender.post(job, last) }
        // The servers before may have taken the time that was left.
        guard !job.isTooLate(at: .now()) else { return sender.post(job, RemoteResult.late(job)) }
        if let connection { return talk(to: targets, connection.security, with: sender, on: connection) }
        if let weaker { return talk(to: targets, weaker, with: sender) }
        switch SecurityFinder(resolver: resolver, configuration: configuration).security(of: target, for: job, finding) {
        case .connect(let security): introduce(to: targets, security, with: sender)
        case .refuse(let fault, let source): refuse(target, fault, source, targets, with: sender)
        }
    }

    /// With a password where there is one for this server.
    private func introduce(to targets: ArraySlice<Target>, _ security: Security, with sender: Sender) {
        guard let target = targets.first else { return }
        // Before it is read: what is written meanwhile is newer.
        let passwords = target.isNamed ? sender.relays.edition : nil
        switch sender.login(for: target, of: job) {
        case .none: talk(to: targets, security.meeting(target, nil, of: passwords), with: sender)
        case .found(let login): talk(to: targets, security.meeting(target, login, of: passwords), with: sender)
        case .unavailable(let reason):
            sender.post(job, RemoteResult.same(.temporary(EnhancedStatus(.temporary, 3, 5), reason: Array(reason.utf8)), for: job))
        }
    }

    /// A server that the policy keeps us from: the next one may do.
    private func refuse(_ target: Target, _ fault: TransportFault, _ source: TransportPolicy.Source, _ targets: ArraySlice<Target>, with sender: Sender) {
        let security = Security(policy: TransportPolicy(.required, .nothing, source), serverName: target.host.bytes)
        sender.say(security.event(job, target, tls: nil, fault, isConnected: false))
        let reason = Array("\(target): \(fault.reason)".utf8)
        let outcome: DeliveryOutcome = fault.isPermanent ? .permanent(EnhancedStatus(.permanent, 7, 30), reason: reason)
            : .temporary(EnhancedStatus(.temporary, 7, 5), reason: reason)
        let results = job.copies.map { RemoteResult(copy: $0, outcome: outcome, host: job.domain.bytes, keptBy: source) }
        conclude(results, speaksOfHost: true, targets, with: sender)
    }

    private func talk(to targets: ArraySlice<Target>, _ security: Security, with sender: Sender, on connection: KeptConnection? = nil) {
        guard let target = targets.first else { return }
        sender.talk(self, to: targets, security, on: connection) { report in
            switch report {
            case .givenUp: sender.post(job, [])
            case .stale: sender.sendAnew(job, content)
            case .results(_, let ending, _, _) where sender.stops && Attempt.isOwnLimit(ending): sender.post(job, [])
            case .results(let found, let ending, let tls, let wasSecuring):
                if !Attempt.isOwnLimit(ending) { sender.note(target, isReached: !found.allSatisfy(Attempt.speaksOfBeginning), self.configuration.retry) }
                let fault = security.fault(found, ending, wasSecuring: wasSecuring)
                if connection == nil { sender.say(security.event(job, target, tls: tls, fault, isConnected: !Attempt.neverSpoke(found, ending))) }
                let results = self.results(found, from: target, ending, tls).map { kept($0, by: security, fault, target) }
                if let weaker = fault.flatMap(security.weakened) {
                    var again = self
                    again.weaker = weaker
                    let next = again
                    sender.later { next.begin(targets, with: sender) }
                } else if content.isEightBit, found.contains(where: { $0.missing.contains(.eightBitMIME) && $0.stage == .hello && $0.reply.isEmpty }) {
                    sender.later { convert(after: results, targets, with: sender) }
                } else {
                    conclude(results, speaksOfHost: Attempt.speaksOfHost(found), targets, with: sender)
                }
            }
        }
    }

    /// Another server if this one spoke of itself alone, or the end.
    private func conclude(_ results: [RemoteResult], speaksOfHost: Bool, _ targets: ArraySlice<Target>, with sender: Sender) {
        if speaksOfHost, targets.count > 1 {
            var other = self
            // That one host cannot encrypt says nothing of the next.
            other.weaker = nil
            other.last = results
            other.isInDoubt = isInDoubt || results.contains(where: \.isTemporary)
            let next = other
            sender.later { next.begin(targets.dropFirst(), with: sender) }
        } else {
            sender.post(job, isInDoubt && speaksOfHost ? results.map(\.undecided) : results)
        }
    }

    /// RFC 6152 §3: the same server once more, with the content in 7 bits; what has no such form goes to another server, or back.
    private func convert(after results: [RemoteResult], _ targets: ArraySlice<Target>, with sender: Sender) {
        do {
            var next = self
            next.content = try content.sevenBit()
            next.begin(targets, with: sender)
        } catch let error as ConversionError {
            conclude(results.map { $0.unsayable(error.obstacle) }, speaksOfHost: true, targets, with: sender)
        } catch {
            let outcome = DeliveryOutcome.temporary(EnhancedStatus(.temporary, 3, 0), reason: Array("the content cannot be read now".utf8))
            sender.post(job, RemoteResult.same(outcome, for: job))
        }
    }
}
