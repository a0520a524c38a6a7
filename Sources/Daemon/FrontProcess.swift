// The second process of pop3d and imapd: the same executable, started by the session process before it has a thread,
// with the listening sockets and one end of the channel, and nothing else.

package import Kernel
import Configuration

/// The front, as the session process sees it.
package struct FrontProcess: Sendable {
    package let pid: Int32

    /// The channel's number if this process is to be the front, and the arguments that both processes share.
    package static func split(_ arguments: [String]) -> (channel: Int32?, shared: [String]) {
        guard arguments.count >= 3, arguments[arguments.count - 2] == "--front", let channel = Int32(arguments[arguments.count - 1]),
            channel > 2
        else { return (nil, arguments) }
        return (channel, arguments.dropLast(2))
    }

    /// Starts the front and gives it the listeners and `channel`, all of which are closed here.
    package static func start(_ context: DaemonContext, arguments: [String], channel: Int32) throws(KernelError) -> FrontProcess {
        let number = 3 + context.listeners.count
        var spawn = Spawn(
            program: Identity.executable,
            arguments: (arguments.dropFirst() + ["--front", "\(number)"]).map { Array($0.utf8) })
        spawn.environment = environment(context.listeners.map(\.name)).map { Array($0.utf8) }
        spawn.descriptors = context.listeners.map(\.descriptor) + [channel]
        let pid = try spawn.start()
        for descriptor in spawn.descriptors { _ = Descriptor(adopting: descriptor) }
        return FrontProcess(pid: pid)
    }

    private static func environment(_ listeners: [ListenerName]) -> [String] {
        var out = ["SWIFT_BACKTRACE=enable=no"]
        for name in ["PATH", "LD_LIBRARY_PATH", "TZ", "LANG"] {
            if let value = Identity.environment(name) { out.append("\(name)=\(value)") }
        }
        out.append("LISTEN_FDS=\(listeners.count)")
        out.append("LISTEN_FDNAMES=" + listeners.map(\.rawValue).joined(separator: ":"))
        return out
    }

    /// Asks it to read its certificate again.
    package func reload() { _ = Signals.send(Signals.hangup, to: pid) }

    /// Waits for its end, which the channel's end brings; kills it when the time is over.
    package func end(milliseconds: Int) {
        var left = milliseconds
        while left > 0 {
            if Children.reap() != nil { return }
            pause(milliseconds: 10)
            left -= 10
        }
        _ = Signals.send(Signals.kill, to: pid)
    }
}
