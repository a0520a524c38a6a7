// The settings that are a choice among words.

internal import MailModel

/// Where a password may cross the wire without TLS (RFC 8314 §4.1 says nowhere).
package enum AllowPlaintext: String, ConfigurationWord { case never, loopback, always }

/// What of a submitted message must belong to the account that sends it (RFC 6409 §6.1).
package enum CheckFrom: String, ConfigurationWord {
    /// MAIL FROM and the header's From and Sender.
    case account
    /// MAIL FROM alone.
    case envelope
    case off
}

/// How remoted uses STARTTLS (RFC 3207 §4.1).
package enum RemoteTLS: String, ConfigurationWord {
    /// Use it where offered, without checking names: RFC 7435.
    case opportunistic
    /// Defer the mail where there is none.
    case required
    /// Also where the host does not prove its name.
    case verified
    case never
}

/// From which resolvers it is believed that DNSSEC vouches for an answer (RFC 4035 §4.9.3).
package enum DNSTrust: String, ConfigurationWord {
    /// Those on this host: nobody stands between.
    case loopback
    case always
    case never
}

/// Which versions of TLS are spoken with clients (RFC 9325).
package enum TLSClients: String, ConfigurationWord { case modern, compatible }

/// A SASL mechanism that may be offered, by its IANA name (RFC 4422 §3.1).
package enum AuthMechanism: String, ConfigurationWord {
    case scramSHA256Plus = "SCRAM-SHA-256-PLUS"
    case scramSHA256 = "SCRAM-SHA-256"
    case plain = "PLAIN"
    case login = "LOGIN"
}

/// An extension of SMTP that may be offered beyond those that every client is offered, by its EHLO keyword.
package enum SMTPExtension: String, ConfigurationWord, CaseIterable {
    /// RFC 6531.
    case smtpUTF8 = "SMTPUTF8"
    /// RFC 3461.
    case dsn = "DSN"
    /// RFC 3030.
    case chunking = "CHUNKING"
    case binaryMIME = "BINARYMIME"
    /// RFC 8689.
    case requireTLS = "REQUIRETLS"
    /// RFC 9422.
    case limits = "LIMITS"
    /// RFC 4865.
    case futureRelease = "FUTURERELEASE"
    /// RFC 2852.
    case deliverBy = "DELIVERBY"
    /// RFC 6710.
    case priority = "MT-PRIORITY"
}

/// The byte between user and detail in `user+detail@domain` (RFC 5233 §1).
package struct SubaddressSeparator: Hashable, Sendable, ConfigurationValue {
    package let byte: UInt8

    package static let plus = SubaddressSeparator(byte: UInt8(ascii: "+"))
    package static let kind = "one of \"+\", \"-\", \"=\", \"_\", \"#\""

    private init(byte: UInt8) { self.byte = byte }

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal, text.utf8.count == 1, let byte = text.utf8.first, "+-=_#".utf8.contains(byte)
        else { return nil }
        self.byte = byte
    }

    package var literal: ConfigurationLiteral { .text([byte].display) }
}
