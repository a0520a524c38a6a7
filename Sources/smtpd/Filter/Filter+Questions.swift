// The session's questions as filters are asked them, with the macros that rspamd, OpenDKIM and ClamAV read.

import Connection
import MailModel
import MilterProtocol
import SMTPProtocol
import SpoolFormat

/// What the session knows of the client at a question.
struct FilterFacts {
    let client: AcceptFacts
    let tls: TLSFacts?
    /// How the client proved who it is.
    let mechanism: [UInt8]?
    /// The id of a message that has one already.
    let id: QueueID?
}

extension Filter {
    /// Whether the filters are asked before this answer is given; their outcome then comes by `takeOutcome`.
    func begins(_ question: ServerQuestion, _ answer: ServerAnswer, _ facts: FilterFacts) -> Bool {
        switch (question, answer) {
        case (.sender(let sender, let size), .sender(.accepted)): askSender(sender, size, answer, facts)
        case (.recipient(let recipient), .recipient(let verdict)):
            askRecipient(recipient, isRefused: isRefusal(verdict, facts), isRemote: verdict == .remote, answer, facts)
        case (.postmaster, .postmaster(let recipient?)):
            askRecipient(recipient, isRefused: false, isRemote: false, answer, facts)
        case (.sender, _), (.recipient, _), (.postmaster, _), (.authenticate, _), (.authenticationResponse, _), (.accept, _): return false
        }
        return true
    }

    private func isRefusal(_ verdict: ServerAnswer.Recipient, _ facts: FilterFacts) -> Bool {
        switch verdict {
        case .local: false
        case .remote: !mayRelay(facts.client)
        case .unknown, .unavailable, .refused: true
        }
    }

    /// Mail for others goes on for those alone who have proved who they are.
    func mayRelay(_ client: AcceptFacts) -> Bool { shared.session.service == .submission && client.identity != nil }

    /// Who the client is, as far as it was not told yet, then MAIL.
    private func askSender(_ sender: ReversePath, _ size: Int?, _ answer: ServerAnswer, _ facts: FilterFacts) {
        isInTransaction = true
        var steps: [Step] = []
        if introduced == nil { steps.append(.ask(.connect(client), connectMacros)) }
        let introduction = Introduction(hello: facts.client.clientName, isTLS: facts.tls != nil)
        if introduced != introduction { steps.append(.ask(.helo(introduction.hello), tlsMacros(facts))) }
        introduced = introduction
        let arguments = [Filter.path(sender.wire)] + (size.map { [Array("SIZE=\($0)".utf8)] } ?? [])
        steps.append(.ask(.mail(arguments), senderMacros(sender, facts)))
        begin(Pending(answer: answer, steps: steps[...], about: about(.refuse).adding(.from, sender.wire)))
    }

    private func askRecipient(
        _ recipient: EmailAddress, isRefused: Bool, isRemote: Bool, _ answer: ServerAnswer, _ facts: FilterFacts
    ) {
        let mailer = isRefused ? "error" : isRemote ? "smtp" : "local"
        let macros = [
            MilterMacro("rcpt_addr", recipient.wire), MilterMacro("rcpt_host", recipient.domain.bytes), MilterMacro("rcpt_mailer", Array(mailer.utf8)),
        ]
        let question = MilterQuestion.recipient([Filter.path(recipient.wire)], isRefused: isRefused)
        begin(Pending(answer: answer, steps: [.ask(question, macros)], about: about(.refuse).adding(.to, recipient.wire)))
    }

    /// The message is here; who takes responsibility for it is asked after the filters. False if none need be asked.
    func judges(_ acceptance: Acceptance, _ facts: FilterFacts) -> Bool {
        var line = about(.refuse).adding(.from, acceptance.envelope.sender.wire)
        for recipient in acceptance.envelope.recipients { line.add(.to, recipient.wire) }
        line.add(.messageID, acceptance.facts.messageID)
        switch acceptance.content {
        case .inline(let content): header = HeaderCapture(content)
        // The log says what is wrong with the disk.
        case .big(let file):
            if file.hasFailed { return false }
            header = file.header
        }
        let macros = facts.id.map { [MilterMacro("i", $0.text)] } ?? []
        let steps: [Step] = [.ask(.data, macros), .message(macros)]
        let question = Pending(answer: .message(.accepted(id: [])), steps: steps[...], about: line, acceptance: acceptance)
        if header.isTooLong { refuseHeader(question) } else { begin(question) }
        return true
    }

    func about(_ verb: Verb) -> RecordLine { RecordLine(verb).adding(.peer, peer.address) }

    private static func path(_ wire: [UInt8]) -> [UInt8] { [UInt8(ascii: "<")] + wire + [UInt8(ascii: ">")] }

    // MARK: - The client and the macros

    /// `[192.0.2.1]`: nobody has looked for its name.
    private var clientName: [UInt8] {
        Array("[".utf8) + (peer.isIPv6 ? Array("IPv6:".utf8) : []) + peer.address + Array("]".utf8)
    }

    private var client: MilterClient {
        let (address, port) = (peer.address, peer.port)
        guard !address.isEmpty else { return MilterClient(hostName: Array("unknown".utf8), address: .unknown) }
        return MilterClient(hostName: clientName, address: peer.isIPv6 ? .ipv6(address, port: port) : .ipv4(address, port: port))
    }

    private var connectMacros: [MilterMacro] {
        [
            MilterMacro("j", settings.host), MilterMacro("daemon_name", settings.service),
            MilterMacro("daemon_addr", arrival.local.address), MilterMacro("daemon_port", Array("\(arrival.local.port)".utf8)),
            MilterMacro("v", Array("Martlet".utf8)), MilterMacro("_", clientName),
            MilterMacro("client_addr", peer.address), MilterMacro("client_name", clientName),
            MilterMacro("client_ptr", Array("unknown".utf8)), MilterMacro("client_port", Array("\(peer.port)".utf8)),
        ]
    }

    private func tlsMacros(_ facts: FilterFacts) -> [MilterMacro] {
        guard let tls = facts.tls else { return [] }
        let version: StaticString =
            switch tls.version {
            case .tls12: "TLSv1.2"
            case .tls13: "TLSv1.3"
            case .older: "TLSv1"
            }
        return [MilterMacro("tls_version", version.withUTF8Buffer { Array($0) })]
    }

    private func senderMacros(_ sender: ReversePath, _ facts: FilterFacts) -> [MilterMacro] {
        var macros = [MilterMacro("mail_addr", sender.wire), MilterMacro("mail_mailer", Array("smtp".utf8))]
        if let address = sender.address { macros.append(MilterMacro("mail_host", address.domain.bytes)) }
        if let identity = facts.client.identity {
            macros.append(MilterMacro("auth_authen", identity))
            if let mechanism = facts.mechanism { macros.append(MilterMacro("auth_type", mechanism)) }
        }
        return macros
    }
}
