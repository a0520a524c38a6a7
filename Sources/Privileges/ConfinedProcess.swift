// The processes that are confined, each with its one value: what a program applies is what the proof applies.

package import Configuration
package import Sandbox

/// A service's process, or the front that a session process starts.
package struct ConfinedProcess: Hashable, Sendable, CaseIterable {
    package let service: Service
    package let isFront: Bool

    package static let allCases: [ConfinedProcess] = Service.allCases.flatMap { service in
        [ConfinedProcess(service: service, isFront: false)] + (service.hasFront ? [ConfinedProcess(service: service, isFront: true)] : [])
    }

    /// `imapd`, `imapd-front`.
    package var name: String { service.rawValue + (isFront ? "-front" : "") }

    /// What it may still do once it serves. `child` is the front of a session process.
    package func confinement(_ configuration: Configuration, child: Int32? = nil) -> Confinement {
        switch service {
        case .smtpd, .submission: .smtpd(configuration, service: service)
        case .queued: .queued(configuration)
        case .locald: .locald(configuration)
        case .remoted: .remoted(configuration)
        case .pop3d, .imapd: isFront ? .front(configuration) : .session(configuration, service: service, front: child)
        }
    }
}

extension Service {
    /// Whether it is two processes.
    package var hasFront: Bool { self == .pop3d || self == .imapd }
}
