// The listening sockets of all services. They are open as long as the supervisor lives, so a service that restarts
// refuses no connection: clients wait in the listen queue.

import Configuration
import Kernel

/// Sockets by listener and address.
struct SupervisorListeners: ~Copyable {
    private final class Socket {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    private var sockets: [ListenerName: [(endpoint: Endpoint, socket: Socket)]] = [:]

    /// Binds what the configuration lists and is not yet bound, and closes what it no longer lists.
    ///
    /// All or nothing: on an error everything stays as it was. Those of other services stay too.
    mutating func update(to listen: Configuration.Listen, of services: [Service] = Service.allCases) throws(Failure) {
        var updated: [ListenerName: [(endpoint: Endpoint, socket: Socket)]] = [:]
        for name in ListenerName.allCases {
            let old = sockets[name] ?? []
            guard services.contains(name.service) else {
                updated[name] = old
                continue
            }
            var new: [(endpoint: Endpoint, socket: Socket)] = []
            for endpoint in listen[name] {
                if let known = old.first(where: { $0.endpoint == endpoint }) {
                    new.append(known)
                } else {
                    new.append((endpoint, Socket(try bind(endpoint, for: name))))
                }
            }
            updated[name] = new
        }
        sockets = updated
    }

    private func bind(_ endpoint: Endpoint, for name: ListenerName) throws(Failure) -> Descriptor {
        do throws(KernelError) {
            return try Listening.bind(address: endpoint.host, port: endpoint.port)
        } catch {
            let remedy =
                if error.addressInUse {
                    "another program listens there (`ss -ltnp sport = :\(endpoint.port)` shows it): stop it, or change listen.\(name.rawValue)"
                } else if error.permissionDenied {
                    "ports below 1024 need root: start as root, or change listen.\(name.rawValue)"
                } else {
                    "correct listen.\(name.rawValue) in the configuration"
                }
            throw Failure(.unavailable, "\(error) (listen.\(name.rawValue), port \(endpoint.port))", remedy: remedy)
        }
    }

    /// The descriptors that a service inherits, and the name of each.
    func inherited(by service: Service) -> (descriptors: [Int32], names: [ListenerName]) {
        let all = service.listeners.flatMap { name in (sockets[name] ?? []).map { (name, $0.socket.descriptor.raw) } }
        return (all.map(\.1), all.map(\.0))
    }
}
