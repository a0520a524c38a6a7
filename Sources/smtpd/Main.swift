// smtpd: takes mail in by SMTP. Two services: `smtpd` (port 25, from other hosts) and `submission` (from our users).
//
// Runs as     martlet-smtpd, or martlet-submission
// Reads       the address snapshot; submission also the credential snapshot, and events of pop3d and imapd; what queued released; TLS certificates and keys
// Writes      spool/smtpd/ or spool/submission/: mail and events
// Talks to    clients on inherited listeners; content filters on the sockets of filter.smtpd or filter.submission; smtpd also name servers
// Never       opens a mailbox, another program's folder for writing, or any other connection; relays for a stranger, but for a notice to somebody whose mail we forwarded; sends as somebody whom the account is not and was not granted
// Trusts      nobody: a client's words are bytes until parsed; an identity is what SASL proved here; a filter with the mail that it is shown.
//             Whose connection it is: who the configuration names (PROXY, XCLIENT)
// If captured injects mail to local people (submission: to anyone), sees what it holds not yet erased
// Standards   RFC 5321, 1870, 2034, 2920, 3207, 3848, 4954, 5782, 6152, 6409, 6647, 7208, 7372, 8314, 8601

import Configuration
import Connection
import Daemon
import Directory
import Kernel
import MailModel
import Privileges
import SASLProtocol
import SMTPProtocol
import Sandbox
import Spool
import SpoolFormat

@main
enum Main {
    static func main() {
        let context = DaemonContext.begin("smtpd", services: [.smtpd, .submission], arguments: CommandLine.arguments)
        let owner: SpoolOwner = context.service == .submission ? .submission : .smtpd
        let trace = TraceField(host: context.configuration.hostname)
        let logs: IntakeLogs
        let intake: Intake
        let recall: PolicyRecall?
        do {
            let spool = context.openSpool()
            logs = try IntakeLogs(spool: spool, owner: owner, origin: owner.origin ?? .smtpd, trace: trace, retention: { context.live.current.retention.events.components.seconds })
            intake = try Intake(origin: owner.origin ?? .smtpd, bigFolder: spool.path / LogName(owner, .mail).path / "big", segment: logs.mail.log.end.segment)
            recall = context.service == .smtpd ? PolicyRecall(logs.events.log, spool: spool) : nil
        } catch let error as LogError {
            context.refuse(error)
        } catch {
            fail(context.service.rawValue, "\(error)", remedy: "check the spool's folders (`mailctl config check`)", .temporary)
        }
        let rules = SubmissionRules.begin(context, logs)
        let guesses = GuessWatch(GuessLimits(context.configuration.auth))
        let neighbours = context.service == .submission ? NeighbourLogins(spool: context.openSpool(), own: .submission) : nil
        for warning in context.confine(.smtpd(context.configuration, service: context.service)) { context.warn(warning) }
        let handed = HandedLogs(logs: logs)
        startThread { intake.run(handed.logs) }
        for problem in neighbours?.problems ?? [] { intake.note(RecordLine(.problem).adding(.reason, problem)) }
        neighbours?.start { guesses.heard($0) }
        let memory = context.service == .smtpd ? PolicyMemory(context.configuration.policy) : nil
        if let memory { startThread { recall.map { $0.run(into: memory, intake) } ?? memory.recallEnded() } }
        Server(context, intake, trace, memory, rules, guesses).run()
    }

    /// Sendable: the logs go to the commit thread once, before it starts, and nobody else keeps them.
    private struct HandedLogs: @unchecked Sendable { let logs: IntakeLogs }
}
