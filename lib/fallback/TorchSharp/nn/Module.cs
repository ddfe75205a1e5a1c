using System.Reflection;
using TorchSharp.Modules;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>A part of a network: parameters, buffers and further modules, each under a name.</summary>
        public class Module : IDisposable
        {
            private readonly OrderedDictionary<string, Parameter> _parametersByName = [];
            private readonly OrderedDictionary<string, (Tensor tensor, bool persistent)> _buffersByName = [];
            private readonly OrderedDictionary<string, Module> _modulesByName = [];
            private bool _componentsRegistered, _isTraining = true;

            protected string name;

            protected Module(string name) => this.name = name;

            public virtual string GetName() => name;

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing) return;
                foreach (var (tensor, _) in _buffersByName.Values) tensor.Dispose();
                foreach (var parameter in _parametersByName.Values) parameter.Dispose();
                foreach (var module in _modulesByName.Values) module.Dispose();
            }

            // ---- registration ----

            public virtual void register_parameter(string name, Parameter param)
            {
                if (param is null || param.IsInvalid) throw new ArgumentNullException(nameof(param), "A null tensor cannot be registered as a parameter.");
                if (!_parametersByName.TryAdd(name, param)) throw new InvalidOperationException($"Parameter {name} is already registered.");
            }

            public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
            {
                if (tensor is null || tensor.IsInvalid) throw new ArgumentNullException(nameof(tensor), "A null tensor cannot be registered as a buffer.");
                if (!_buffersByName.TryAdd(name, (tensor, persistent))) throw new InvalidOperationException($"Tensor {name} is already registered.");
            }

            public virtual void register_module(string name, Module submodule)
            {
                if (submodule is null)
                {
                    _modulesByName.Remove(name);
                    return;
                }
                if (string.IsNullOrEmpty(name) || name.Contains('.', StringComparison.Ordinal)) throw new ArgumentException($"module name can't be empty or contain \".\", got: \"{name}\"");
                if (_modulesByName.ContainsKey(name)) throw new InvalidOperationException($"Sub-module {name} is already registered.");
                submodule.RegisterComponents();
                _modulesByName.Add(name, submodule);
            }

            public void add_module(string name, Module module) => register_module(name, module);

            /// <summary>Registers every field that holds a module, parameter or tensor, under the field's name.</summary>
            protected virtual void RegisterComponents()
            {
                if (_componentsRegistered) return;
                _componentsRegistered = true;
                foreach (var (name, field) in Fields())
                {
                    if (_modulesByName.ContainsKey(name) || _parametersByName.ContainsKey(name) || _buffersByName.ContainsKey(name)) continue;
                    switch (field.GetValue(this))
                    {
                        case Module module:
                            register_module(name, module);
                            break;
                        case Parameter parameter:
                            register_parameter(name, parameter);
                            break;
                        case Tensor tensor:
                            register_buffer(name, tensor);
                            break;
                    }
                }
            }

            /// <summary>Puts a parameter into its field and under its name; the one before it is disposed.</summary>
            private protected void Put(string name, ref Parameter? field, Parameter? value)
            {
                if (ReferenceEquals(field, value)) return;
                field?.Dispose();
                field = value;
                if (value is null) _parametersByName.Remove(name);
                else _parametersByName[name] = value;
                value?.DetachFromDisposeScope();
            }

            private Dictionary<string, FieldInfo> Fields()
            {
                var fields = new Dictionary<string, FieldInfo>();
                for (var type = GetType(); type is not null && type != typeof(Module); type = type.BaseType)
                    foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                        fields.TryAdd(field.GetCustomAttribute<ComponentNameAttribute>()?.Name ?? field.Name, field);
                return fields;
            }

            // ---- looking inside ----

            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
            {
                var seen = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);
                foreach (var (name, parameter) in _parametersByName)
                    if (seen.Add(parameter)) yield return (name, parameter);
                if (!recurse) yield break;
                foreach (var (name, module) in _modulesByName)
                    foreach (var (inner, parameter) in module.named_parameters())
                        if (seen.Add(parameter)) yield return ($"{name}.{inner}", parameter);
            }

            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
            {
                var seen = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);
                foreach (var (name, (buffer, persistent)) in _buffersByName)
                    if (persistent && seen.Add(buffer)) yield return (name, buffer); // TorchSharp never lists the others
                if (!recurse) yield break;
                foreach (var (name, module) in _modulesByName)
                    foreach (var (inner, buffer) in module.named_buffers(true, include_nonpersistent))
                        if (seen.Add(buffer)) yield return ($"{name}.{inner}", buffer);
            }

            public virtual IEnumerable<(string name, Module module)> named_children() => _modulesByName.Select(child => (child.Key, child.Value));

            /// <summary>All modules inside, without this one.</summary>
            public virtual IEnumerable<(string name, Module module)> named_modules() =>
                named_children().Concat(named_children().SelectMany(child => child.module.named_modules().Select(inner => ($"{child.name}.{inner.name}", inner.module))));

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(named => named.parameter);

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true) => named_buffers(recurse, include_nonpersistent).Select(named => named.buffer);

            public virtual IEnumerable<Module> children() => named_children().Select(named => named.module);

            public virtual IEnumerable<Module> modules() => named_modules().Select(named => named.module);

            public virtual Parameter? get_parameter(string target) => Find(target, (module, name) => module._parametersByName.GetValueOrDefault(name));

            public virtual Tensor? get_buffer(string target) => Find(target, (module, name) => module._buffersByName.GetValueOrDefault(name).tensor);

            public virtual bool has_parameter(string target) => get_parameter(target) is not null;

            public virtual bool has_buffer(string target) => get_buffer(target) is not null;

            private T? Find<T>(string target, Func<Module, string, T?> get) where T : class
            {
                if (get(this, target) is { } found) return found;
                int dot = target.IndexOf('.');
                return dot >= 0 && _modulesByName.TryGetValue(target[..dot], out var child) ? child.Find(target[(dot + 1)..], get) : null;
            }

            // ---- modes ----

            public virtual bool training => _isTraining;

            public virtual void train(bool train = true)
            {
                _isTraining = train;
                foreach (var module in _modulesByName.Values) module.train(train);
            }

            public virtual void eval() => train(false);

            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (var (_, parameter) in named_parameters())
                {
                    using var grad = parameter.grad;
                    if (grad is null) continue;
                    if (set_to_none) parameter.grad = null;
                    else grad.zero_();
                }
            }

            public virtual Module apply(Action<Module> fn)
            {
                foreach (var module in _modulesByName.Values) module.apply(fn);
                fn(this);
                return this;
            }

            // ---- moving ----

            /// <summary>Moves or converts all parameters and buffers. Whole numbers keep their type. As in TorchSharp, moved ones are
            /// new objects: they are also put into the property or field of the registered name.</summary>
            internal void Move(Device? device, ScalarType? dtype)
            {
                if (dtype is { } type && !is_floating_point(type)) throw new ArgumentException($"nn.Module.to only accepts floating point or complex types, but got desired dtype={type}");
                if (device is not null) InitializeDeviceType(device.type);
                foreach (var module in _modulesByName.Values) module.Move(device, dtype);
                foreach (var (name, parameter) in _parametersByName.ToArray())
                {
                    if (Moved(parameter, device, dtype) is not { } moved) continue;
                    using var grad = parameter.grad;
                    var replacement = new Parameter(moved, parameter.requires_grad);
                    replacement.DetachFromDisposeScope();
                    if (grad is not null)
                    {
                        using var movedGrad = Moved(grad, device, dtype);
                        replacement.grad = movedGrad ?? grad;
                    }
                    _parametersByName[name] = replacement;
                    Assign(name, replacement);
                    parameter.Dispose();
                }
                foreach (var (name, (buffer, persistent)) in _buffersByName.ToArray())
                {
                    if (Moved(buffer, device, dtype) is not { } moved) continue;
                    _buffersByName[name] = (moved.DetachFromDisposeScope(), persistent);
                    Assign(name, moved);
                    buffer.Dispose();
                }
            }

            private static Tensor? Moved(Tensor tensor, Device? device, ScalarType? dtype)
            {
                var type = tensor.is_floating_point() ? dtype ?? tensor.dtype : tensor.dtype;
                device ??= tensor.device;
                bool there = device.type == tensor.device_type && (device.index < 0 || device.index == tensor.device_index);
                if (there && type == tensor.dtype) return null;
                using var recording = no_grad();
                return tensor.to(type, device);
            }

            private void Assign(string name, Tensor value)
            {
                if (GetType().GetProperty(name, BindingFlags.Instance | BindingFlags.Public) is { CanWrite: true } property) property.SetValue(this, value);
                else if (Fields().TryGetValue(name, out var field)) field.SetValue(this, value);
            }

            // ---- state ----

            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= [];
                string start = string.IsNullOrEmpty(prefix) ? "" : prefix + ".";
                foreach (var (name, parameter) in named_parameters()) destination.TryAdd(start + name, parameter);
                foreach (var (name, buffer) in named_buffers()) destination.TryAdd(start + name, buffer);
                foreach (var (name, module) in _modulesByName) module.state_dict(destination, start + name);
                return destination;
            }

            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
            {
                var target = state_dict();
                bool Wanted(string key) => skip is null || !skip.Contains(key);
                var missing = target.Keys.Where(key => Wanted(key) && !source.ContainsKey(key)).ToList();
                var unexpected = source.Keys.Where(key => Wanted(key) && !target.ContainsKey(key)).ToList();
                if (strict && missing.Count + unexpected.Count > 0) throw new InvalidOperationException("The loaded state_dict is not identical to the target dictionary.");
                using var recording = no_grad();
                foreach (var (key, tensor) in source)
                    if (Wanted(key) && target.TryGetValue(key, out var into)) into.copy_(tensor);
                return (missing, unexpected);
            }

            public Module save(string location, IList<string>? skip = null)
            {
                using var stream = File.Create(location);
                return save(stream, skip);
            }

            public Module save(Stream stream, IList<string>? skip = null)
            {
                using var writer = new BinaryWriter(stream);
                return save(writer, skip);
            }

            public Module save(BinaryWriter writer, IList<string>? skip = null)
            {
                save_state_dict(writer, state_dict(), skip);
                return this;
            }

            /// <summary>The number of entries (LEB128), then each entry's name and tensor.</summary>
            public static void save_state_dict(BinaryWriter writer, Dictionary<string, Tensor> sd, IList<string>? skip = null)
            {
                var entries = sd.Where(entry => skip is null || !skip.Contains(entry.Key)).ToList();
                writer.Write7BitEncodedInt64(entries.Count);
                foreach (var (name, tensor) in entries)
                {
                    writer.Write(name);
                    tensor.Save(writer);
                }
            }

            public virtual Module load(string location, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                using var stream = File.OpenRead(location);
                return load(stream, strict, skip, loadedParameters);
            }

            public Module load(Stream stream, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                using var reader = new BinaryReader(stream);
                return load(reader, strict, skip, loadedParameters);
            }

            public virtual Module load(BinaryReader reader, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                var target = state_dict();
                long entries = reader.Read7BitEncodedInt64();
                if (strict && entries != target.Count) throw new ArgumentException($"Mismatched state_dict sizes: expected {target.Count}, but found {entries} entries.");
                for (long k = 0; k < entries; k++)
                {
                    string name = reader.ReadString();
                    bool found = target.TryGetValue(name, out var tensor);
                    if (!found && strict) throw new ArgumentException($"Mismatched module state names: the target modules does not have a submodule or buffer named '{name}'");
                    if (found && skip?.Contains(name) != true) tensor!.Load(reader);
                    else TensorExtensionMethods.Load(reader, skip: true).Dispose();
                    loadedParameters?.Add(name, found);
                }
                return this;
            }
        }
    }
}
