# pip install networkx
import networkx as nx

graph = nx.Graph()
graph.add_weighted_edges_from([("a", "b", 4), ("b", "c", 8), ("c", "d", 7), ("d", "e", 9), ("a", "e", 1), ("b", "e", 2)])
print(graph, nx.shortest_path(graph, "a", "d", weight="weight"), nx.dijkstra_path_length(graph, "a", "c"))
print(sorted(nx.minimum_spanning_edges(graph, data=False)))
print(nx.degree_centrality(graph))
dag = nx.DiGraph([(1, 2), (1, 3), (2, 4), (3, 4)])
print(list(nx.topological_sort(dag)), nx.is_directed_acyclic_graph(dag), list(nx.all_simple_paths(dag, 1, 4)))
print(nx.maximum_flow_value(nx.DiGraph([("s", "a", {"capacity": 3}), ("a", "t", {"capacity": 2})]), "s", "t"))
print(sorted(map(sorted, nx.community.greedy_modularity_communities(nx.karate_club_graph())))[0][:5])
print("\n".join(nx.generate_graphml(dag))[:100])
