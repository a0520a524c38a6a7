// Which copy is handed out next, and when: lanes for those that may go, timers for those that wait, a window for each agent.

import Kernel
import MailModel

/// The order of handing out. It names copies; what it says of one is looked at again before anything is done.
struct ReadyCopies {
    private var lanes: [Agent: PriorityLanes] = [:]
    private var outstanding: [Agent: Int] = [:]
    /// Copies of each domain that remoted has.
    private var shares: [[UInt8]: Int] = [:]
    /// Agents whose lanes were all found empty or at their share, since when nothing has changed.
    private var stuck: Set<Agent> = []
    var timers = TimerHeap()

    var deadline: WallTime? { timers.first }

    /// Puts a copy where its state says.
    mutating func takeUp(_ copy: Copy, _ place: CopyIndex, _ rank: Rank) {
        guard copy.agent != nil else { return }
        switch copy.state {
        case .waiting(let until):
            if until <= .whenever { admit(copy, place, rank) } else { timers.insert(until, place) }
        case .assigned: noteAssigned(copy)
        case .failed, .delivered, .bounced: break
        }
    }

    /// A copy whose time has come.
    mutating func admit(_ copy: Copy, _ place: CopyIndex, _ rank: Rank) {
        guard let agent = copy.agent else { return }
        // locald has one lane, and works best on what came together.
        let rank = agent == .locald ? Rank(priority: rank.priority, sender: []) : rank
        lanes[agent, default: PriorityLanes()].append(place, lane: copy.lane, rank: rank)
        stuck.remove(agent)
    }

    /// The next copy for an agent that has fewer than `window` unanswered.
    ///
    /// A domain may hold as many places of remoted's window as are free: one takes half, two a third each, and however many are slow, some
    /// are left for the next.
    mutating func next(for agent: Agent, window: Int) -> CopyIndex? {
        let free = window - outstanding[agent, default: 0]
        guard free > 0, !stuck.contains(agent) else { return nil }
        let copy = lanes[agent]?.next { [shares] lane in agent == .locald || shares[lane, default: 0] < free }
        if copy == nil { stuck.insert(agent) }
        return copy
    }

    mutating func noteAssigned(_ copy: Copy) {
        guard let agent = copy.agent else { return }
        outstanding[agent, default: 0] += 1
        if agent == .remoted { shares[copy.lane, default: 0] += 1 }
    }

    mutating func noteAnswered(_ copy: Copy) {
        guard let agent = copy.agent else { return }
        outstanding[agent, default: 1] -= 1
        stuck.remove(agent)
        guard agent == .remoted, let share = shares[copy.lane] else { return }
        shares[copy.lane] = share > 1 ? share - 1 : nil
    }
}
