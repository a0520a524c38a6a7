// A TLS report on its way by mail (RFC 8460 §5.3): a few words for people, the report itself for programs.

package import MailModel

/// One report as a whole message in wire form.
package struct TLSReportMessage: Sendable {
    package var report: TLSReport
    /// Who reports: this host.
    package var organization: Domain
    package var contact: EmailAddress
    package var recipient: EmailAddress
    /// Letters, digits and hyphens; the same for the same day and domain.
    package var id: [UInt8]
    package var date: MailDate

    package init(_ report: TLSReport, by organization: Domain, contact: EmailAddress, to recipient: EmailAddress, id: [UInt8], date: MailDate) {
        self.report = report
        self.organization = organization
        self.contact = contact
        self.recipient = recipient
        self.id = id.filter { $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-") }
        self.date = date
    }

    private var domain: [UInt8] { (report.domain.aLabels ?? report.domain).bytes }
    private var boundary: [UInt8] { Array("tlsrpt-".utf8) + id }

    package func bytes() -> [UInt8] {
        var out = header
        out += line("") + separator("text/plain; charset=us-ascii", [])
        out += line("This is a daily report of how TLS went on the connections of this mail system to the")
        out += line("hosts of the domain named above. It is sent because the domain asks for it in DNS.")
        // The name is that of RFC 8460 §5.1.
        let begin = report.day * 86_400
        let name = organization.bytes + Array("!".utf8) + domain + Array("!\(begin)!\(begin + 86_399)!".utf8) + id + Array(".json".utf8)
        out += separator("application/tlsrpt+json", Array("attachment; filename=\"".utf8) + name + Array("\"".utf8))
        out += report.json(organization: organization, contact: contact, id: id)
        return out + line("") + Array("--".utf8) + boundary + line("--")
    }

    private var header: [UInt8] {
        var writer = HeaderWriter()
        writer.date(date)
        writer.field("From", Array("<tlsrpt-noreply@".utf8) + organization.bytes + Array(">".utf8))
        writer.field("To", Array("<".utf8) + recipient.wire + Array(">".utf8))
        // RFC 8460 §5.3.
        writer.field("Subject", Array("Report Domain: ".utf8) + domain + Array(" Submitter: ".utf8) + organization.bytes + Array(" Report-ID: <".utf8) + id + Array(">".utf8))
        writer.field("TLS-Report-Domain", domain)
        writer.field("TLS-Report-Submitter", organization.bytes)
        writer.field("Message-ID", Array("<".utf8) + id + Array("@".utf8) + organization.bytes + Array(">".utf8))
        writer.field("Auto-Submitted", "auto-generated")
        writer.field("MIME-Version", "1.0")
        writer.field("Content-Type", Array("multipart/report; report-type=\"tlsrpt\"; boundary=\"".utf8) + boundary + Array("\"".utf8))
        return writer.bytes
    }

    private func separator(_ type: StaticString, _ disposition: [UInt8]) -> [UInt8] {
        var writer = HeaderWriter()
        writer.field("Content-Type", type.withUTF8Buffer { Array($0) })
        writer.field("Content-Transfer-Encoding", "7bit")
        if !disposition.isEmpty { writer.field("Content-Disposition", disposition) }
        return line("") + Array("--".utf8) + boundary + line("") + writer.bytes + line("")
    }
}
