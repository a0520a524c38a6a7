// Where the copies of a message go, and which rule names their next hop: by the functions that queued calls at each attempt.

import Configuration
import Directory
import Kernel
import MailModel

extension Explanation {
    /// Who gets a notice for the recipient, which is the sender that we gave to forwarded mail; nil for any other recipient.
    static func returned(_ question: Question, _ snapshot: AddressSnapshot) throws(DirectoryUnavailable) -> EmailAddress? {
        guard question.sender == .null else { return nil }
        return try snapshot.forwardedSender(behind: question.recipient, day: day)
    }

    /// One line a copy, a refusal or a loop.
    static func route(
        _ question: Question, _ configuration: Configuration, _ router: Router, _ snapshot: AddressSnapshot
    ) throws(DirectoryUnavailable) -> [String] {
        let returned = try returned(question, snapshot)
        let result = try router.route(returned ?? question.recipient, in: snapshot)
        guard case .routed(let route) = result else { return result.explanation }
        var ways: [EmailAddress: String] = [:]
        for remote in route.remotes { ways[remote.address] = try way(of: remote.address, question, configuration, snapshot) }
        let lines = route.explanation { ways[$0] ?? "MX" }
        return (returned.map { ["returned to \($0), whose mail was forwarded"] } ?? []) + lines
    }

    /// `relay.example.net:587 (route *) as SRS0=…`
    private static func way(
        of recipient: EmailAddress, _ question: Question, _ configuration: Configuration, _ snapshot: AddressSnapshot
    ) throws(DirectoryUnavailable) -> String {
        var sender: EmailAddress?
        if configuration.routing.srs, let given = question.sender.address {
            sender = try snapshot.forwardingSender(of: given, from: question.recipient, to: recipient, day: day)
        }
        let smarthost = configuration.remote.smarthost.flatMap { NextHop(parsing: Array("\($0)".utf8)) }
        let decision = try RouteDecision.decide(
            recipient: recipient, sender: sender ?? question.sender.address, smarthost: smarthost
        ) { (pattern) throws(DirectoryUnavailable) in try snapshot.route(pattern) }
        let hop = decision.hop == .exchangers ? "MX" : "\(decision.hop)"
        return hop + (decision.rule == .exchangers ? "" : " (\(decision.rule))") + (sender.map { " as \($0)" } ?? "")
    }

    private static var day: Int { Int(WallTime.now().seconds / 86400) }
}
