// Which extensions a server offers beyond those that it always has. All of them are off until whoever runs it turns them on.

package import MailModel

/// The optional extensions, and the bounds that their keywords announce.
package struct ServerExtensions: Sendable, Hashable {
    /// RFC 6531.
    package var smtpUTF8 = false
    /// RFC 3461.
    package var dsn = false
    /// BDAT (RFC 3030 §2).
    package var chunking = false
    /// BODY=BINARYMIME; nothing without CHUNKING (RFC 3030 §3).
    package var binaryMIME = false
    /// Offered under TLS alone (RFC 8689 §2).
    package var requireTLS = false
    /// Tells the client the limits on transactions, recipients and domains (RFC 9422).
    package var limits = false
    /// Offered by `.submission` alone (RFC 4865 §3).
    package var futureRelease: HoldLimit?
    package var deliverBy: DeliverByLimit?
    package var priority: PriorityProfile?
    /// The peer is a filter of ours that may say whom it speaks for (Postfix's XCLIENT).
    package var xclient = false

    package init() {}

    /// What FUTURERELEASE allows, reckoned when the connection began: a session reads no clock.
    package struct HoldLimit: Sendable, Hashable {
        /// Seconds.
        package let interval: Int
        package let until: InternetTime

        package init(interval: Int, until: InternetTime) {
            self.interval = interval
            self.until = until
        }

        func allows(_ hold: HoldRelease) -> Bool {
            switch hold {
            case .interval(let seconds): seconds <= interval
            case .until(let time): time <= until
            }
        }
    }

    package struct DeliverByLimit: Sendable, Hashable {
        /// Seconds below which a message that must be returned in time is not taken (RFC 2852 §4); 0 for none.
        package let minimum: Int

        package init(minimum: Int = 0) { self.minimum = minimum }

        func allows(_ deliverBy: DeliverBy) -> Bool { deliverBy.mode == .notify || deliverBy.seconds >= minimum }
    }

    /// By which names the priorities are known here (RFC 6710 §8).
    package enum PriorityProfile: String, Sendable, Hashable {
        case mixer = "MIXER"
        case stanag4406 = "STANAG4406"
        case nsep = "NSEP"
    }

    /// Those of them that may be offered to this client now.
    func offered(by service: ServerConfiguration.Service, isTLS: Bool) -> ServerExtensions {
        var offered = self
        offered.binaryMIME = binaryMIME && chunking
        offered.requireTLS = requireTLS && isTLS
        offered.futureRelease = service == .submission ? futureRelease : nil
        return offered
    }

    /// The lines of EHLO's answer for what is offered.
    func keywords(_ limits: ServerConfiguration.Limits) -> [String] {
        var lines: [String] = []
        if smtpUTF8 { lines.append("SMTPUTF8") }
        if dsn { lines.append("DSN") }
        if chunking { lines.append("CHUNKING") }
        if binaryMIME { lines.append("BINARYMIME") }
        if requireTLS { lines.append("REQUIRETLS") }
        if self.limits { lines.append("LIMITS" + limits.announced.map { " \($0.name)=\($0.value)" }.joined()) }
        if let futureRelease { lines.append("FUTURERELEASE \(futureRelease.interval) \(futureRelease.until.text)") }
        if let deliverBy { lines.append(deliverBy.minimum > 0 ? "DELIVERBY \(deliverBy.minimum)" : "DELIVERBY") }
        if let priority { lines.append("MT-PRIORITY \(priority.rawValue)") }
        if xclient { lines.append("XCLIENT \(XClient.attributes)") }
        return lines
    }
}

extension ServerConfiguration.Limits {
    /// The limits of RFC 9422 §6, as they are kept.
    fileprivate var announced: [(name: String, value: Int)] {
        var found = [("RCPTMAX", recipients)]
        if let transactions { found.append(("MAILMAX", transactions)) }
        if let recipientDomains { found.append(("RCPTDOMAINMAX", recipientDomains)) }
        return found
    }
}
