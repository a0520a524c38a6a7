// Which extensions the configuration has a session offer.

import Configuration
import Kernel
import MailModel
import SMTPProtocol

extension ServerExtensions {
    /// All but FUTURERELEASE, whose limit depends on when a connection begins: see `holding`.
    init(_ settings: Configuration.SMTP) {
        self.init()
        for name in settings.extensions {
            switch name {
            case .smtpUTF8: smtpUTF8 = true
            case .dsn: dsn = true
            case .chunking: chunking = true
            case .binaryMIME: binaryMIME = true
            case .requireTLS: requireTLS = true
            case .limits: limits = true
            case .futureRelease: break
            case .deliverBy: deliverBy = DeliverByLimit()
            case .priority: priority = .mixer
            }
        }
    }

    /// How long a message may be held that comes by a connection which begins now.
    static func holding(_ settings: Configuration.SMTP, now: WallTime) -> HoldLimit? {
        let longest = settings.longestHold.components.seconds
        guard settings.extensions.contains(.futureRelease), let until = InternetTime(seconds: now.seconds + longest) else { return nil }
        return HoldLimit(interval: Int(longest), until: until)
    }
}
