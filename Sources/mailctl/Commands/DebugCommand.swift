// mailctl debug: for a while, a service writes down the dialogues of one client or one account.

import ArgumentParser
import Configuration
import Kernel
import MailModel
import MailPolicy
import Spool

struct DebugCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "debug", abstract: "Write down the SMTP dialogues of one address or one account for a while.",
        discussion: """
            The service writes them to its stderr, a line each, `transcript - peer=… C: …` and `S: …`. Passwords and the messages of SASL are \
            left out, and so is the content of mail. It ends by itself; --minutes 0 ends it now. An account is known once it has logged in.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "smtp (port 25) or submission.") var service: String
    @Option(help: "The client's address, as events show it.") var ip: String?
    @Option(help: "The account that logs in, user@domain.") var account: String?
    @Option(help: "For how long, 1 to 1440.") var minutes = 10

    func run() throws {
        let configuration = try options.loadConfiguration()
        let service = try chosenService()
        let subject = try chosenSubject()
        guard (0...1440).contains(minutes) else {
            throw Failure(.usage, "\(minutes) minutes is not allowed", remedy: "write 1 to 1440, or 0 to end it")
        }
        let folder = PublishedFolder(configuration.paths)
        let now = WallTime.now().seconds
        var wishes = folder.wishes.filter { $0.until > now && !($0.service == service.rawValue && $0.subject == subject) }
        if minutes > 0 { wishes.append(TranscriptWish(service: service.rawValue, subject: subject, until: now + Int64(minutes) * 60)) }
        guard wishes.count <= TranscriptWish.most else {
            throw Failure(.usage, "\(TranscriptWish.most) transcripts run already", remedy: "wait for one to end, or end it with --minutes 0")
        }
        try folder.publish(wishes)
        // It looks by itself within seconds; if it runs it is told at once.
        try SupervisorStatus.read(configuration, file: options.configurationFile).signal(Signals.hangup, to: [service])
        if options.json {
            return Output.json(.object([.init(name: "service", value: .text(service.rawValue)), .init(name: "minutes", value: .number(minutes))]))
        }
        Output.line(minutes > 0 ? "\(service.rawValue) writes these dialogues to its log for \(minutes) min" : "\(service.rawValue) writes these dialogues no more")
    }

    private func chosenService() throws(Failure) -> Service {
        switch service {
        case "smtp", "smtpd": return .smtpd
        case "submission": return .submission
        default: throw Failure(.usage, "there is no transcript of \(service)", remedy: "write smtp or submission")
        }
    }

    private func chosenSubject() throws(Failure) -> TranscriptWish.Subject {
        switch (ip, account) {
        case (let ip?, nil):
            guard IPAddress(parsing: Array(ip.utf8)) != nil else {
                throw Failure(.usage, "\(ip) is no address", remedy: "write it as the events do: 192.0.2.1 or 2001:db8::1")
            }
            return .address(Array(ip.utf8))
        case (nil, let account?):
            guard let address = EmailAddress(account), !address.wire.contains(0x20) else {
                throw Failure(.usage, "\(account) is no account", remedy: "write user@domain; `mailctl account list` shows them")
            }
            return .account(address.wire)
        case (nil, nil), (_?, _?): throw Failure(.usage, "it needs to know whose dialogues", remedy: "give --ip or --account, one of them")
        }
    }
}
