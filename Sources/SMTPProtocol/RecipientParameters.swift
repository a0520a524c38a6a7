// The ESMTP parameters of RCPT: `NOTIFY=` and `ORCPT=` (RFC 3461 §4), each at most once.

package import MailModel

extension RecipientOptions {
    /// Parses ` NOTIFY=NEVER ORCPT=rfc822;a@example.org`, the space before each included.
    package init(parsing text: ArraySlice<UInt8>, offering offer: ServerExtensions = ServerExtensions()) throws(ParameterFault) {
        self.init()
        for word in try ParameterWord.words(of: text) {
            switch word.name {
            case "NOTIFY" where offer.dsn: try word.set(&notify, NotifyOptions(parsing: word.value))
            case "ORCPT" where offer.dsn:
                try word.set(&originalRecipient, OriginalRecipient(xtext: word.value, allowsUTF8: offer.smtpUTF8))
            default: throw .unknown
            }
        }
    }

    /// Each parameter with the space before it.
    package var wire: [UInt8] {
        var out: [UInt8] = []
        if let notify { out += Array(" NOTIFY=\(notify.text)".utf8) }
        if let originalRecipient { out += Array(" ORCPT=".utf8) + originalRecipient.xtext }
        return out
    }
}
