// Connections to our own listeners as a client makes them, and what their TLS is worth to it.

import Configuration
import Connection
import Kernel
import MailModel

final class OwnListeners {
    /// How far a client may trust what a listener shows, the best first.
    enum Trust: Int, Comparable {
        case authority, configured, nothing, clear
        static func < (a: Trust, b: Trust) -> Bool { a.rawValue < b.rawValue }
    }

    private let patient: Patient
    private let dialer = Dialer(loops: LoopGroup(loops: 1), limit: 16)
    private let demands: [(trust: Trust, client: ClientTLS)]
    private var seen: [(listener: ListenerName, trust: Trust, reason: String)] = []

    init(_ patient: Patient) {
        self.patient = patient
        let file = patient.configuration.tls.certificate.bytes
        var demands: [(trust: Trust, client: ClientTLS)] = []
        if let client = try? ClientTLS.verified() { demands.append((.authority, client)) }
        if let client = try? ClientTLS.verified(rootsFile: file) { demands.append((.configured, client)) }
        if let client = try? ClientTLS.opportunistic() { demands.append((.nothing, client)) }
        self.demands = demands
    }

    /// A session behind its greeting and, where the listener has it, behind TLS; the listener that begins with TLS is preferred.
    func connect(_ preferred: ListenerName) throws(Conversation.Broken) -> Conversation {
        let choices = ListenerName.allCases.filter { $0.service == preferred.service }.sorted { $0 == preferred && $1 != preferred }
        guard let listener = choices.first(where: { !patient.configuration.listen[$0].isEmpty }), let endpoint = patient.configuration.listen[listener].first else {
            throw Conversation.Broken(reason: "no listener is configured for \(preferred.service.rawValue)")
        }
        var last = Conversation.Broken(reason: "TLS cannot be set up")
        for demand in demands {
            do throws(Conversation.Broken) {
                let (session, isSecure) = try open(listener, endpoint, demand.client)
                seen.append((listener, isSecure ? demand.trust : .clear, last.reason))
                return session
            } catch {
                guard error.isTLS else { throw error }
                last = error
            }
        }
        throw last
    }

    private func open(_ listener: ListenerName, _ endpoint: Endpoint, _ client: ClientTLS) throws(Conversation.Broken) -> (Conversation, isSecure: Bool) {
        let host = endpoint.host == "0.0.0.0" ? "127.0.0.1" : endpoint.host == "::" ? "::1" : endpoint.host
        let name = patient.configuration.hostname.bytes
        let session = try Conversation(dialer, to: host, port: endpoint.port, tls: listener.isImplicitTLS ? client : nil, name: name)
        var greeting = try session.reply()
        if listener.service == .smtpd || listener.service == .submission {
            session.send("EHLO \(patient.configuration.hostname)\r\n")
            greeting = try session.reply()
        }
        guard ["220", "250", "+OK", "* O"].contains(where: { greeting.hasPrefix($0) }) else { throw Conversation.Broken(reason: "the greeting is: \(greeting)") }
        if listener.isImplicitTLS { return (session, true) }
        session.send(listener.service == .pop3d ? "STLS\r\n" : listener.service == .imapd ? "d STARTTLS\r\n" : "STARTTLS\r\n")
        let answer = try session.line()
        guard ["220", "+OK", "d OK"].contains(where: { answer.hasPrefix($0) }) else { return (session, false) }
        try session.secure(client, name: name)
        guard listener.service == .smtpd || listener.service == .submission else { return (session, true) }
        session.send("EHLO \(patient.configuration.hostname)\r\n")
        _ = try session.reply()
        return (session, true)
    }

    /// What the listeners showed.
    func findings() -> [Finding] {
        let hostname = patient.configuration.hostname
        return seen.map { listener, trust, reason -> Finding in
            switch trust {
            case .authority: .ok("tls", of: listener.rawValue, "the certificate is trusted for \(hostname)")
            case .configured: .ok("tls", of: listener.rawValue, "the configured certificate is shown; no authority vouches for it")
            case .nothing:
                .problem(
                    "tls", of: listener.rawValue, "what it shows is neither trusted for \(hostname) nor the configured certificate (\(reason))",
                    remedy: patient.mailctl("reload") + ", then see the findings about the certificate")
            case .clear: .problem("tls", of: listener.rawValue, "offers no TLS", remedy: patient.mailctl("restart \(listener.service.rawValue)") + ", once tls.certificate and tls.key can be read")
            }
        }
    }
}
