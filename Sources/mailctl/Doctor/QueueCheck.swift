// Mail that waits too long, and programs that are behind what others wrote for them.

import Configuration
import Kernel
import MailModel

enum QueueCheck {
    static func all(_ patient: Patient) -> [Finding] {
        let view: QueueView
        do throws(KernelError) { view = try QueueView.read(spool: try DirectoryDescriptor(opening: patient.configuration.paths.spool)) } catch {
            return [.problem("queue", "\(error)", remedy: Failure(error).remedy)]
        }
        let giveUp = Int64(patient.configuration.retry.giveUp.components.seconds)
        return age(view, now: patient.now, giveUp: giveUp, patient.mailctl("queue list")) + lag(view, now: patient.now) { patient.mailctl($0) }
    }

    /// The oldest message that waits.
    static func age(_ view: QueueView, now: WallTime, giveUp: Int64, _ list: String) -> [Finding] {
        let ages = view.messages.values.compactMap { $0.accepted.map { now.seconds - $0.seconds } }
        guard let oldest = ages.max() else { return [.ok("queue", "empty")] }
        let text = "\(ages.count) message\(ages.count == 1 ? "" : "s"), the oldest \(StatusCommand.span(max(0, oldest))) old"
        if oldest > giveUp * 2 { return [.problem("queue", text + ": older than retry.give_up allows", remedy: list)] }
        return oldest > 3600 ? [.warning("queue", text, remedy: list + " says why each waits")] : [.ok("queue", text)]
    }

    /// Who is behind: what is accepted and was not heard, or handed to an agent and not answered.
    static func lag(_ view: QueueView, now: WallTime, _ command: (String) -> String) -> [Finding] {
        let old = { (time: WallTime?, limit: Int64) in time.map { now.seconds - $0.seconds > limit } ?? false }
        let copies = view.messages.values.flatMap(\.copies)
        var findings: [Finding] = []
        let unheard = view.messages.values.filter { old($0.accepted, 60) && $0.copies.contains { $0.state == .unrouted } }
        if !unheard.isEmpty {
            findings.append(.problem(
                "log lag", of: "queued", "\(unheard.count) messages accepted more than a minute ago are not routed", remedy: command("start queued")))
        }
        for (agent, limit) in [("locald", Int64(120)), ("remoted", 3600)] {
            let late = copies.count { $0.state == .assigned && $0.agent == agent && old($0.since, limit) }
            if late > 0 {
                findings.append(.problem("log lag", of: agent, "\(late) copies were given to it \(limit / 60) minutes ago and are not answered", remedy: command("start \(agent)")))
            }
        }
        return findings.isEmpty ? [.ok("log lag", "nobody is behind")] : findings
    }
}
